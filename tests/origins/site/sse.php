<?php
// A counter, the way most tutorials write it. It starts again for every client.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 5000);
$counter = 0;

while (true) {
    echo "data: " . json_encode(['message' => "Hello, this is event number $counter"]) . "\n\n";
    ob_flush();
    flush();
    $counter++;
    usleep($ms * 1000);
}
