<?php
// A script with a warning in every round, shown as on a development machine.
// ?where=between|inside: between two events, or in the middle of a data line; ?html=0: plain text.
error_reporting(E_ALL);
ini_set('display_errors', '1');
ini_set('html_errors', $_GET['html'] ?? '1');
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
$where = $_GET['where'] ?? 'between';
for ($n = 0; ; $n++) {
    if ($where == 'inside') {
        echo 'data: {"n": ', $n, ', "user": "', $user, '"}', "\n\n";
    } else {
        echo 'data: {"n": ' . $n . "}\n\n";
        $unused = $nobody;
    }
    ob_flush();
    flush();
    usleep($ms * 1000);
}
