<?php
// One event and the end: the poll-style script that relies on the browser's reconnect.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
echo "data: " . json_encode(['pid' => getmypid()]) . "\n\n";
