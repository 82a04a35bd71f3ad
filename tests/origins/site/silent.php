<?php
// Sends its head at once and then nothing for ?s= seconds: it cannot notice that a client left.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
ob_flush();
flush();
sleep((int) ($_GET['s'] ?? 3600));
