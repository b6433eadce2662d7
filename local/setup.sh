#!/bin/sh
# Finds the newest Python that Duly runs on and lets it build the environments (local/setup.py).
# Nothing to do costs one start of Python.
set -eu
cd "$(dirname "$0")/.."

if [ -x .venv/bin/python ] && .venv/bin/python local/setup.py --done 2>/dev/null; then
    exit 0
fi

lame=""

# A pyenv shim exists for versions that it then refuses to run, and Debian's Python may come without
# venv: only what really works is taken.
works() {
    command -v "$1" >/dev/null 2>&1 || return 1
    [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2" ] || return 1
    "$1" -c 'import ctypes, ensurepip, ssl, venv' 2>/dev/null && return 0
    lame="$1 (Python $2)"
    return 1
}

find_python() {
    if [ -n "${DULY_PYTHON:-}" ]; then
        for minor in 3.13 3.12 3.11; do
            works "$DULY_PYTHON" "$minor" && found="$DULY_PYTHON" && return 0
        done
        echo "DULY_PYTHON=$DULY_PYTHON is not a working Python 3.13, 3.12 or 3.11." >&2
        exit 1
    fi
    for minor in 3.13 3.12 3.11; do
        for each in "python$minor" \
            $(ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$minor".*/bin/python 2>/dev/null | sort -rV) \
            python3; do
            works "$each" "$minor" && found="$each" && return 0
        done
    done
    return 1
}

if ! find_python; then
    if [ -n "$lame" ]; then
        echo "$lame can't make environments. On Debian or Ubuntu: apt-get install python3-venv" >&2
    else
        echo "Duly needs Python 3.13, 3.12 or 3.11 and found none. Install one (Debian, Ubuntu: apt-get install" >&2
        echo "python3 python3-venv; macOS: brew install python@3.13; anywhere: pyenv install 3.13), or name" >&2
        echo "one: DULY_PYTHON=/path/to/python make setup" >&2
    fi
    exit 1
fi
exec "$found" local/setup.py
