<?php
// Thinks for ?s= seconds before it sends even its head, then ticks every ?ms=.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
usleep((int) ((float) ($_GET['s'] ?? 3) * 1000000));

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
while (true) {
    echo "data: late\n\n";
    ob_flush();
    flush();
    usleep($ms * 1000);
}
