#!/bin/bash
# The demo: PHP's own server on the scripts in site/, and Sluice before it. Runs until it is told
# to stop, and leaves nothing behind. `make run` builds what it needs.
#
# HTTPS_PORT, HTTP_PORT, PHP_PORT and ADMIN_PORT choose other ports; SLUICE another binary.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
sluice=${SLUICE:-$here/../../target/release/sluice}
https_port=${HTTPS_PORT:-8443}
http_port=${HTTP_PORT:-8080}
php_port=${PHP_PORT:-8000}
admin_port=${ADMIN_PORT:-9180}
# One for each stream that Sluice may open (max_streams in sluice.yaml), and some for pages.
workers=20
# Between the word to end and the end by force.
patience_s=5

groups=()

# Ends both servers with all their children. The workers of `php -S` outlive their parent, so the
# whole group is meant.
stop() {
    # The terminal may be gone, and a second Ctrl-C must not come between.
    trap '' HUP INT PIPE TERM
    set +e
    signal_groups TERM
    # All processes of the demo share the lock: it is free when the last of them has ended.
    exec 9>&-
    flock -w $patience_s "$home/alive" true || signal_groups KILL
    wait "${groups[@]}"
    rm -rf "$home"
}

signal_groups() {
    for group in "${groups[@]}"; do
        kill "-$1" -- "-$group" 2>/dev/null
    done
}

# check_port NAME PORT USUAL: says how to choose another if nobody can listen there.
check_port() {
    local name=$1 port=$2 usual=$3 other=$3 cause
    cause='not a port'
    if [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && ((port < 65536)); then
        cause=$(php -r '
            echo @stream_socket_server("tcp://127.0.0.1:$argv[1]", $code, $cause) ? "" : $cause;
        ' "$port")
    fi
    [[ -n $cause ]] || return 0
    [[ $port != "$usual" ]] || other=$((usual + 1000))
    echo "$name=$port: cannot listen there: $cause. Choose another: make run $name=$other" >&2
    return 1
}

check_ports() {
    local faults=0
    check_port HTTPS_PORT "$https_port" 8443 || faults=1
    check_port HTTP_PORT "$http_port" 8080 || faults=1
    check_port PHP_PORT "$php_port" 8000 || faults=1
    check_port ADMIN_PORT "$admin_port" 9180 || faults=1
    return $faults
}

# The configuration with the ports that were asked for. In two steps, as one may be another's
# usual one.
configure() {
    sed -e 's/:8443$/:@https/; s/:8080$/:@http/; s/:8000$/:@php/; s/:9180$/:@admin/' \
        "$here/sluice.yaml" |
        sed -e "s/:@https$/:$https_port/; s/:@http$/:$http_port/" \
            -e "s/:@php$/:$php_port/; s/:@admin$/:$admin_port/"
}

start_php() {
    mkdir "$home/running"
    # With the buffer that Debian's servers have, and which the scripts flush.
    PHP_CLI_SERVER_WORKERS=$workers \
    DEMO_RUNNING=$home/running \
    DEMO_METRICS=http://127.0.0.1:$admin_port/metrics \
    DEMO_HTTPS_PORT=$https_port \
        setsid php -d output_buffering=4096 -d display_errors=0 -d opcache.enable=0 \
        -d auto_prepend_file="$here/running.php" -S "127.0.0.1:$php_port" -t "$here/site" \
        </dev/null >"$home/php.log" 2>&1 &
    groups+=($!)
}

start_sluice() {
    configure >"$home/sluice.yaml"
    setsid "$sluice" run -c "$home/sluice.yaml" </dev/null &
    groups+=($!)
}

# wait_for PORT: until somebody listens there; fails if a server ended instead.
wait_for() {
    for ((i = 0; i < 200; i++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        all_run || return 1
        sleep 0.05
    done
    return 1
}

all_run() {
    for group in "${groups[@]}"; do
        kill -0 "$group" 2>/dev/null || return 1
    done
}

# Whether the make that runs this was told to end. Of what comes to it alone, make hands only
# SIGTERM on. SIGHUP and SIGINT it blocks, and then it waits for this script.
make_is_to_end() {
    local key value
    ((${MAKELEVEL:-0} > 0)) || return 1
    while read -r key value; do
        [[ $key != SigBlk: ]] || (((16#$value & 3) == 0)) || return 0
    done 2>/dev/null <"/proc/$PPID/status" || return 0
    return 1
}

fail() {
    echo "The demo did not start." >&2
    grep -vE '(started|Accepted|Closing|preconnection)$' "$home/php.log" >&2
    exit 1
}

check_ports || exit 1
[[ -x $sluice ]] || { echo "$sluice is not there: run it with make run" >&2; exit 1; }

home=$(mktemp -d)
exec 9>"$home/alive"
flock 9
trap stop EXIT
trap 'exit 0' INT
trap 'exit 129' HUP
trap 'exit 143' TERM
start_php
start_sluice
wait_for "$php_port" && wait_for "$http_port" && wait_for "$https_port" || fail

cat <<END

Sluice runs before PHP. Open

  https://localhost:$https_port/    HTTP/2: all of the page's streams on one connection
                             (self-signed: the browser asks once whether you trust it)
  http://127.0.0.1:$http_port/     HTTP/1.1: the same page with a browser's six connections

or listen in a terminal:

  curl -N http://127.0.0.1:$http_port/clock.php
  curl -kN https://localhost:$https_port/orders.php

Metrics are at http://127.0.0.1:$admin_port/metrics. Ctrl-C ends it all.

END

while all_run; do
    ! make_is_to_end || exit 0
    # Not in the foreground: a signal would have to wait for its end.
    sleep 0.5 9>&- &
    wait $!
done
echo "PHP or Sluice has ended by itself, and the demo with it." >&2
exit 1
