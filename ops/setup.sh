#!/usr/bin/env bash
# Prepares this machine: `ops/setup.sh run` for `make run`, `dev` for tests and checks, `bench` for
# measuring, `backup` for backups.
# Installs only what is missing, and says so before it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-run}
apt_fresh=no
everything='python3 python3-venv postgresql postgresql-postgis libzbar0 pgbackrest chromium'
log=${VAR_DIR:-var}/log/setup.log

say() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    printf 'mvote: %s\n' "$*" >&2
    exit 1
}

# A Python that is new enough and can make virtual environments; its name on stdout. The system's
# first: it was built with the profile of a running program, and casts a fifth faster than one that
# a version manager has built without.
find_python() {
    local name
    for name in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

# Whatever asks for a password asks here, before anything runs unseen.
may_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -v; } || fail "somebody who may has to \
run this first:
    apt-get update && apt-get install --no-install-recommends $everything"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Long work: its words into a file, a sign of life every ten seconds, the end of the file if it fails.
quietly() {
    local pid ticks=0
    mkdir -p "${log%/*}"
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        ticks=$((ticks + 1))
        [ $((ticks % 50)) -ne 0 ] || say "   …"
    done
    wait "$pid" || { tail -n 20 "$log" >&2 && return 1; }
}

apt() {
    quietly as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

apt_update() {
    if [ "$apt_fresh" = no ]; then
        say "   renewing apt's lists"
        apt update || say "   that failed; going on with the old lists"
        apt_fresh=yes
    fi
}

apt_install() {
    may_be_root
    apt_update
    say "   installing with apt: $*"
    apt install --yes --no-install-recommends "$@" || fail "apt could not install: $*"
}

install_python() {
    say "no Python 3.11 or newer that can make virtual environments"
    if command -v apt-get >/dev/null; then
        apt_install python3 python3-venv
        find_python >/dev/null || apt_install python3.11 python3.11-venv # older Ubuntu
    elif command -v brew >/dev/null; then
        quietly brew install python3
    fi
    find_python >/dev/null || fail "install Python 3.11 or newer with its venv module, then try again."
}

# The newest PostgreSQL that apt has with PostGIS, one that is installed already first.
postgres_for_apt() {
    local version
    for version in $(find /usr/lib/postgresql/* -maxdepth 0 -printf '%f\n' 2>/dev/null | sort -rn) \
        $(LC_ALL=C apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p'); do
        if [ "$version" -ge 15 ] && apt-cache show "postgresql-$version-postgis-3" >/dev/null 2>&1; then
            echo "$version"
            return
        fi
    done
    return 1
}

install_postgres() {
    say "PostgreSQL with PostGIS is missing"
    if command -v apt-get >/dev/null; then
        install_postgres_with_apt
    elif command -v brew >/dev/null; then
        say "   installing with brew: postgis (with its PostgreSQL)"
        quietly brew install postgis
    fi
    "$python" -m ops.postgres || fail "install PostgreSQL 15 or newer with PostGIS by the means of \
this system, or set DATABASE_URL to a database that has them; then try again."
}

install_postgres_with_apt() {
    local version
    may_be_root
    apt_update
    version=$(postgres_for_apt) || fail "this system's packages have no PostgreSQL 15 or newer with \
PostGIS. Add the PostgreSQL project's package source, or use a newer release, then try again."
    # Our cluster is private: apt shall not make, and run, another one beside it.
    local keep=/etc/postgresql-common/createcluster.d/mvote.conf
    as_root mkdir -p "${keep%/*}"
    echo 'create_main_cluster = false' | as_root tee "$keep" >/dev/null
    apt_install "postgresql-$version" "postgresql-$version-postgis-3"
    as_root rm -f "$keep"
}

install_zbar() {
    say "libzbar is missing, which tests read QR images with"
    if command -v apt-get >/dev/null; then
        apt_install libzbar0
    elif command -v brew >/dev/null; then
        quietly brew install zbar
    else
        fail "install libzbar by the means of this system, then try again."
    fi
}

# A program by its name, and what for.
need() {
    ! command -v "$1" >/dev/null || return 0
    say "$1 is missing, $2"
    if command -v apt-get >/dev/null; then
        apt_install "$1"
    elif command -v brew >/dev/null; then
        quietly brew install "$1"
    else
        fail "install $1 by the means of this system, then try again."
    fi
}

# A browser, for the tests of the screen's page; without one they are skipped, and say so.
wish_for_a_browser() {
    command -v apt-get >/dev/null && ! command -v chromium >/dev/null || return 0
    say "chromium is missing, which tests show the screen's page in"
    (apt_install chromium) || say "   going on without it"
}

can_compile() { "$python" -c 'from ops.install import can_compile as c; raise SystemExit(not c())'; }

install_compiler() {
    say "a C compiler or Python's headers are missing; what is measured has the parser in C"
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if command -v apt-get >/dev/null; then
        apt_install gcc libc6-dev "python$version-dev"
    fi
    can_compile || fail "install a C compiler and the headers of $python, then try again."
}

has_zbar() {
    "$python" -c 'from ctypes.util import find_library as f; raise SystemExit(not f("zbar"))' ||
        [ -e /opt/homebrew/lib/libzbar.dylib ] || ls /usr/lib/*/libzbar.so.0 >/dev/null 2>&1
}

# Tests always make a server of their own; `make run` not if it is told a database.
needs_a_server() {
    [ "$kind" != run ] || ! { [ -n "${DATABASE_URL:-}" ] || grep -qs '^DATABASE_URL=.' .env; }
}

case $kind in run | dev | bench | backup) ;; *) fail "say run, dev, bench or backup" ;; esac
find_python >/dev/null || install_python
python=$(find_python)
if needs_a_server && ! "$python" -m ops.postgres 2>/dev/null; then
    install_postgres
fi
if [ "$kind" = dev ] && ! has_zbar; then
    install_zbar
fi
case $kind in dev) wish_for_a_browser ;; esac
case $kind in bench) need wrk 'which makes the load to measure with' ;; esac
case $kind in backup | dev) need pgbackrest 'which makes backups' ;; esac
case $kind in bench) can_compile || install_compiler ;; esac
say "$("$python" --version); packages"
case $kind in run | backup) "$python" -m ops.install run ;; *) "$python" -m ops.install dev ;; esac
say "this machine is ready"
