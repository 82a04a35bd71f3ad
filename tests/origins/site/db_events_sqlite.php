<?php
// The same poll as db_events.php, for a site that keeps its data in one SQLite file.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 5000);
$db = new PDO('sqlite:' . getenv('DB_FILE'));

while (true) {
    $result = $db->query("SELECT message FROM events ORDER BY id DESC LIMIT 1");
    $row = $result->fetch(PDO::FETCH_ASSOC);
    $result->closeCursor();
    if ($row) {
        echo "data: " . json_encode($row) . "\n\n";
        ob_flush();
        flush();
    }
    usleep($ms * 1000);
}
