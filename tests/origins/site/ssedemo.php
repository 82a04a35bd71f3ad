<?php
// A ping every second and an unnamed message now and then; asks nginx not to buffer.
header("X-Accel-Buffering: no");
header("Content-Type: text/event-stream");
header("Cache-Control: no-cache");

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
$wait = rand(1, 10);

while (true) {
    $now = date(DATE_ISO8601);
    echo "event: ping\n", 'data: {"time": "' . $now . '"}', "\n\n";

    if (--$wait == 0) {
        echo 'data: A message at ' . $now, "\n\n";
        $wait = rand(1, 10);
    }

    if (ob_get_contents()) {
        ob_end_flush();
    }
    flush();

    if (connection_aborted()) {
        break;
    }
    usleep($ms * 1000);
}
