<?php
// Polls a table and sends its last row, again and again; nothing while the table is empty.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 5000);
$db = new mysqli("localhost", "username", "password", "database");
if ($db->connect_error) {
    die("Connection failed: " . $db->connect_error);
}

while (true) {
    $result = $db->query("SELECT message FROM events ORDER BY id DESC LIMIT 1");
    if ($result && $result->num_rows > 0) {
        $row = $result->fetch_assoc();
        echo "data: " . json_encode($row) . "\n\n";
        ob_flush();
        flush();
    }
    usleep($ms * 1000);
}
