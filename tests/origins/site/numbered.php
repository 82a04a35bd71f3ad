<?php
// Numbered events: ?ms= apart, ?count= of them (0: for ever), each with ?size= bytes of data.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
$count = (int) ($_GET['count'] ?? 0);
$size = (int) ($_GET['size'] ?? 0);

for ($n = 0; ; ) {
    $data = json_encode(['n' => $n]);
    $missing = $size - strlen($data) - strlen(',"pad":""');
    if ($missing >= 0) {
        $data = json_encode(['n' => $n, 'pad' => str_repeat('x', $missing)]);
    }
    echo "data: $data\n\n";
    ob_flush();
    flush();
    if (++$n == $count) {
        break;
    }
    usleep($ms * 1000);
}
