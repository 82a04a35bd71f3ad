#!/bin/sh
# Installs what this project needs on Debian 12, besides Rust. It installs only what is missing,
# asks nothing and starts nothing. Run it as root, or as a user with sudo.
#
#   install.sh build    what building needs
#   install.sh demo     and what the demo runs
#   install.sh          and what the tests run against: PHP under its servers, nginx, Apache,
#                       MariaDB, Node with Express, a browser, Prometheus
set -eu

what=${1:-tests}
case $what in
    build | demo | tests) ;;
    *) echo "usage: $0 [build | demo | tests]" >&2; exit 1 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d
saved=
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo

# Servers are in directories that are not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=

# need PACKAGE COMMAND...: the package is missing unless the command succeeds.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has() { command -v "$1"; }

has_file() {
    for file in "$@"; do
        [ -e "$file" ] && return 0
    done
    return 1
}

has_php_module() { php -m | grep -qix "$1"; }

check() {
    missing=
    need cmake has cmake
    need gcc has gcc
    need libc6-dev has_file /usr/include/stdio.h
    [ "$what" != build ] || return 0
    need php-cli has php
    need curl has curl
    [ "$what" != demo ] || return 0
    need php-fpm has_file /usr/sbin/php-fpm*
    need php-mysql has_php_module mysqli
    need php-sqlite3 has_php_module pdo_sqlite
    need nginx has nginx
    need apache2 has apache2
    need libapache2-mod-php has_file /usr/lib/apache2/modules/libphp*.so
    need mariadb-server has mariadbd
    need nodejs has node
    need npm has npm
    need chromium has chromium
    need chromium-driver has chromedriver
    need prometheus has promtool
    need procps has ps
    need iproute2 has ip
}

# Debian starts a server when it is installed, unless this file says no. What was there before,
# if anything, is put back.
forbid_starts() {
    if [ -e "$policy" ]; then
        saved=$(mktemp -u "$policy.XXXXXX")
        $sudo mv "$policy" "$saved"
    fi
    trap allow_starts EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
}

allow_starts() {
    if [ -n "$saved" ]; then
        $sudo mv "$saved" "$policy"
    else
        $sudo rm -f "$policy"
    fi
    trap - EXIT
}

install_packages() {
    forbid_starts
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update --quiet
    # The list is split into words on purpose.
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet \
        --no-install-recommends $missing
    allow_starts
}

check
if [ -n "$missing" ]; then
    if [ -n "$sudo" ] && ! has sudo >/dev/null; then
        echo "$0: neither root nor sudo, and missing:$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    install_packages
    check
    [ -z "$missing" ] || { echo "$0: still missing:$missing" >&2; exit 1; }
fi

[ "$what" = tests ] || exit 0

# The second condition: the lock file is newer than what was installed from it.
node=$here/origins/node
installed=$node/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ "$node/package-lock.json" -nt "$installed" ]; then
    (cd "$node" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund)
fi
echo "all that the tests need is installed"
