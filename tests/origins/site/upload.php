<?php
// Takes a form's file, or a bare body, and says how much arrived.
$body = isset($_FILES['file'])
    ? file_get_contents($_FILES['file']['tmp_name'])
    : file_get_contents('php://input');
header('Content-Type: application/json');
echo json_encode([
    'name' => $_FILES['file']['name'] ?? null,
    'bytes' => strlen($body),
    'sha256' => hash('sha256', $body),
]);
