<?php
// Runs before each script of the demo (auto_prepend_file): keeps a note with the script's name for
// as long as it runs. PHP calls shutdown functions when the other end has hung up, too.
$running_note = getenv('DEMO_RUNNING') . '/' . getmypid();
file_put_contents($running_note, basename($_SERVER['SCRIPT_NAME']));
register_shutdown_function('unlink', $running_note);
