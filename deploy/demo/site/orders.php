<?php
// A shop's day in events with names: "order" when somebody buys, "stock" when a shelf runs low.
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');

$shelf = array('kettle' => 9, 'lamp' => 9, 'rug' => 9, 'mirror' => 9);
$order = 1000;

while (true) {
    $item = array_rand($shelf);
    $order++;
    $shelf[$item]--;
    echo "event: order\n";
    echo "data: " . json_encode(array('order' => $order, 'item' => $item)) . "\n\n";

    if ($shelf[$item] < 5) {
        $left = $shelf[$item];
        echo "event: stock\n";
        echo "data: " . json_encode(array('item' => $item, 'left' => $left)) . "\n\n";
        $shelf[$item] = 9;
    }
    ob_flush();
    flush();
    usleep(rand(500, 1800) * 1000);
}
