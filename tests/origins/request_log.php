<?php
// Prepended to every script: one line of JSON when a request starts and one when it ends.
// The scripts themselves stay as legacy sites have them.
(function () {
    $file = getenv('ORIGIN_LOG');
    if (!$file) {
        return;
    }
    $id = bin2hex(random_bytes(8));
    $write = function (array $line) use ($file) {
        $json = json_encode($line, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
        file_put_contents($file, $json . "\n", FILE_APPEND | LOCK_EX);
    };
    $headers = [];
    foreach ($_SERVER as $name => $value) {
        if (str_starts_with($name, 'HTTP_')) {
            $headers[strtolower(str_replace('_', '-', substr($name, 5)))] = $value;
        }
    }
    $write([
        'at' => 'start',
        'id' => $id,
        'pid' => getmypid(),
        'method' => $_SERVER['REQUEST_METHOD'],
        'uri' => $_SERVER['REQUEST_URI'],
        'headers' => (object) $headers,
    ]);
    register_shutdown_function(fn () => $write(['at' => 'end', 'id' => $id]));
})();
