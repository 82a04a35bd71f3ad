<?php
// The older habit: one odd header, a buffer that is ended in every round, no way out.
date_default_timezone_set("America/New_York");
header("Content-Type: text/event-stream\n\n");

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
$wait = rand(1, 10);

while (1) {
    $now = date(DATE_ISO8601);
    echo "event: ping\n";
    echo 'data: {"time": "' . $now . '"}';
    echo "\n\n";

    $wait--;
    if (!$wait) {
        echo 'data: A message at ' . $now . "\n\n";
        $wait = rand(1, 10);
    }

    ob_end_flush();
    flush();
    usleep($ms * 1000);
}
