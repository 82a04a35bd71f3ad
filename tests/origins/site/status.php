<?php
// Any answer: ?code= (200), ?type= (text/html), ?location=, ?body=, ?cookie=, ?vary=
http_response_code((int) ($_GET['code'] ?? 200));
header('Content-Type: ' . ($_GET['type'] ?? 'text/html'));
foreach (['location' => 'Location', 'cookie' => 'Set-Cookie', 'vary' => 'Vary'] as $key => $name) {
    if (isset($_GET[$key])) {
        // Without the third argument Location would turn the status into 302.
        header("$name: " . $_GET[$key], true, (int) ($_GET['code'] ?? 200));
    }
}
echo $_GET['body'] ?? '';
