<?php
// Counts its own rounds. Each run of the script begins at 1: whoever sees the same number listens
// to the same run.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

for ($n = 1; ; $n++) {
    echo "data: $n\n\n";
    ob_flush();
    flush();
    usleep(300 * 1000);
}
