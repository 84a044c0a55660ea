#!/bin/sh
# Make a virtual environment: ci/python.sh PYTHON VENV
set -eu
python=$1 venv=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "setup: $python is missing or older than 3.11. Install Python 3.11 and say" \
        "'make setup PYTHON=python3.11'." >&2
    exit 1
fi
# Debian splits ensurepip off; without it a virtual environment has no pip.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
        echo "setup: $python cannot make virtual environments. Have somebody run" \
            "'apt-get install python3-venv'." >&2
        exit 1
    fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
