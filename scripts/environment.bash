# Sourced by the other scripts: finds a Python that will do, and makes virtual environments. Knows nothing of what they are for.
#
# PYTHON=… names the interpreter instead of searching for one.

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

[ -t 2 ] || say() { printf '\n== %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

# Prints the interpreter's own path (not that of a shim that starts it) if it is new enough and has SQLite with full-text search.
_usable() {
    "$1" -c '
import sqlite3, sys
if sys.version_info < (3, 11):
    sys.exit(1)
sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5 (x)")
print(sys.executable)
' 2>/dev/null
}

_has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

_apt() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
    elif command -v sudo >/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
    else
        return 1
    fi
}

# Sets $python: the first interpreter of version 3.11 or later that can make virtual environments, installing what makes them if need be.
find_python() {
    local candidate found without=()
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        found=$(_usable "$candidate") || continue
        if _has_venv "$found"; then
            python=$found
            return
        fi
        without+=("$found")
    done
    [ ${#without[@]} -gt 0 ] || fail "no Python of version 3.11 or later was found" "Install one (Debian 12: apt install python3), or name one: PYTHON=/path/to/python3"
    python=${without[0]}
    local package
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    say "Installing $package: $python cannot make virtual environments without it"
    _apt update -q && _apt install -q -y --no-install-recommends "$package" || true
    _has_venv "$python" || fail "$python cannot make virtual environments" "Install $package and run this again."
}

# make_environment DIR INPUT… -- PIP ARGUMENTS…: a virtual environment in DIR with what pip was told to install. Nothing is done where
# that has been done before and neither the arguments nor the files INPUT have changed since.
make_environment() {
    local directory=$1 inputs=() stamp
    shift
    while [ "$1" != -- ]; do
        inputs+=("$1")
        shift
    done
    shift
    find_python
    stamp=$({ "$python" -VV; printf '%s\n' "$python" "$PWD" "$@"; cat "${inputs[@]}"; } | sha256sum)
    if [ "$(cat "$directory/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    say "Making a virtual environment in $directory with $python"
    rm -rf "$directory"
    "$python" -m venv "$directory"
    # The pip that comes along may be too old to know --group.
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    printf '%s\n' "$stamp" >"$directory/stamp"
}
