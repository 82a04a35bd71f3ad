<?php
// Personal events: who the session, the cookies and the credentials say is listening.
// ?user= names the visitor of a new session; ?lock=1 keeps the session locked, as careless code
// does.
session_start();
$_SESSION['user'] ??= $_GET['user'] ?? 'guest';
if (empty($_GET['lock'])) {
    session_write_close();
}
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$ms = (int) ($_GET['ms'] ?? getenv('PACE_MS') ?: 1000);
while (true) {
    echo "data: " . json_encode([
        'user' => $_SESSION['user'],
        'session' => session_id(),
        'cookies' => (object) $_COOKIE,
        'authorization' => $_SERVER['HTTP_AUTHORIZATION'] ?? null,
    ]) . "\n\n";
    ob_flush();
    flush();
    usleep($ms * 1000);
}
