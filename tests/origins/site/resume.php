<?php
// A script that does it right: own ids, and it goes on after the Last-Event-ID it is given.
// ?count= ends each answer after so many events; ?retry= tells the reconnection time.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
$count = (int) ($_GET['count'] ?? 0);
$n = (int) ($_SERVER['HTTP_LAST_EVENT_ID'] ?? 0);

if (isset($_GET['retry'])) {
    echo "retry: " . (int) $_GET['retry'] . "\n\n";
}
for ($sent = 1; ; $sent++) {
    $n++;
    echo "id: $n\n";
    echo "data: " . json_encode(['n' => $n]) . "\n\n";
    ob_flush();
    flush();
    if ($sent == $count) {
        break;
    }
    usleep($ms * 1000);
}
