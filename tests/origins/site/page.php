<?php
// An ordinary page of the site.
?>
<!DOCTYPE html>
<html>
<head><title>An ordinary page</title></head>
<body><p>Served by process <?= getmypid() ?>.</p></body>
</html>
