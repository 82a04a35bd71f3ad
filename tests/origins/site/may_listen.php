<?php
// Says whether a visitor may listen: the cookie `user` decides (none: 401, banned: 403).
// A file named in MAY_LISTEN_STATUS overrides it: a right can be withdrawn while streams run.
$file = getenv('MAY_LISTEN_STATUS');
if ($file && is_file($file)) {
    http_response_code((int) file_get_contents($file));
    exit;
}
$user = $_COOKIE['user'] ?? null;
http_response_code($user === null ? 401 : ($user === 'banned' ? 403 : 204));
