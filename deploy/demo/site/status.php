<?php
// What all of this costs, once a second: the scripts that PHP runs, by the notes that running.php
// keeps, and what Sluice counts at its own door.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

function gauge($metrics, $series)
{
    preg_match_all('/^' . $series . ' (\d+)$/m', $metrics, $found);
    return array_sum($found[1]);
}

while (true) {
    $notes = glob(getenv('DEMO_RUNNING') . '/*');
    $scripts = array_filter(array_map(fn($note) => @file_get_contents($note), $notes));
    sort($scripts);
    $metrics = (string) @file_get_contents(getenv('DEMO_METRICS'));

    echo "event: status\n";
    echo "data: " . json_encode(array(
        'scripts' => $scripts,
        'streams' => gauge($metrics, 'sluice_subscribers\{.*\}'),
        'http1' => gauge($metrics, 'sluice_connections\{protocol="http1"\}'),
        'http2' => gauge($metrics, 'sluice_connections\{protocol="http2"\}'),
        'https_port' => (int) getenv('DEMO_HTTPS_PORT'),
    )) . "\n\n";
    ob_flush();
    flush();
    sleep(1);
}
