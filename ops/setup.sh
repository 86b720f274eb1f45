#!/usr/bin/env bash
# Prepares this machine: `ops/setup.sh run` for `make run`, `ops/setup.sh dev` for tests and checks.
# Installs only what is missing, and says so before it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-run}
apt_fresh=no

say() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    printf 'mvote: %s\n' "$*" >&2
    exit 1
}

# A Python that is new enough and can make virtual environments; its name on stdout.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo. Run as root: $*"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

apt_install() {
    say "   installing with apt: $*"
    if [ "$apt_fresh" = no ]; then
        apt update || say "   apt's lists could not be renewed; going on with the old ones"
        apt_fresh=yes
    fi
    apt install --yes --no-install-recommends "$@" || fail "apt could not install: $*"
}

install_python() {
    say "no Python 3.11 or newer that can make virtual environments"
    if command -v apt-get >/dev/null; then
        apt_install python3 python3-venv
        find_python >/dev/null || apt_install python3.11 python3.11-venv # older Ubuntu
    elif command -v brew >/dev/null; then
        brew install python3 >&2
    fi
    find_python >/dev/null || fail "install Python 3.11 or newer with its venv module, then try again."
}

# The newest PostgreSQL that apt has with PostGIS, one that is installed already first.
postgres_for_apt() {
    local version
    for version in $(ls /usr/lib/postgresql 2>/dev/null | sort -rn) \
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
        brew install postgis >&2
    fi
    "$python" -m ops.postgres || fail "install PostgreSQL 15 or newer with PostGIS by the means of \
this system, or set DATABASE_URL to a database that has them; then try again."
}

install_postgres_with_apt() {
    local version
    apt update || say "   apt's lists could not be renewed; going on with the old ones"
    apt_fresh=yes
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
        brew install zbar >&2
    else
        fail "install libzbar by the means of this system, then try again."
    fi
}

has_zbar() {
    "$python" -c 'from ctypes.util import find_library as f; raise SystemExit(not f("zbar"))' ||
        [ -e /opt/homebrew/lib/libzbar.dylib ] || ls /usr/lib/*/libzbar.so.0 >/dev/null 2>&1
}

# Tests always make a server of their own; `make run` not if it is told a database.
needs_a_server() {
    [ "$kind" = dev ] || ! { [ -n "${DATABASE_URL:-}" ] || grep -qs '^DATABASE_URL=.' .env; }
}

case $kind in run | dev) ;; *) fail "say run or dev" ;; esac
find_python >/dev/null || install_python
python=$(find_python)
if needs_a_server && ! "$python" -m ops.postgres 2>/dev/null; then
    install_postgres
fi
if [ "$kind" = dev ] && ! has_zbar; then
    install_zbar
fi
say "$("$python" --version); packages"
"$python" -m ops.install "$kind"
say "this machine is ready"
