#!/bin/sh
# See that bubblewrap is there; install it where this user may.
set -eu
if command -v bwrap >/dev/null && ldconfig -p 2>/dev/null | grep -q libseccomp.so.2; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap libseccomp2 >/dev/null
    exit 0
fi
echo "setup: bubblewrap is missing, which holds the code that researchers submit. Have somebody" \
    "run 'apt-get install bubblewrap libseccomp2'. 'aar doctor' tells what else is missing." >&2
exit 1
