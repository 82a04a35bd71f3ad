<?php
// Events at ?ms=, until it dies: at random, sometimes in the middle of an event. A file named
// "quiet" beside it keeps it alive and silent.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? 100);
$odds = (int) ($_GET['odds'] ?? 100);

for ($n = 0; ; $n++) {
    clearstatcache();
    if (!file_exists(__DIR__ . '/quiet')) {
        if (random_int(1, $odds) == 1) {
            echo "data: half";
            ob_flush();
            flush();
            exit;
        }
        echo "data: " . json_encode(['pid' => getmypid(), 'n' => $n]) . "\n\n";
        ob_flush();
        flush();
    }
    usleep($ms * 1000);
}
