<?php
// The clock of the server.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);

while (true) {
    echo "data: " . json_encode(['time' => date('H:i:s')]) . "\n\n";
    ob_flush();
    flush();
    usleep($ms * 1000);
}
