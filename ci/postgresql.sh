#!/bin/sh
# See that a PostgreSQL server can be started by the tests; install it where this user may.
set -eu
for place in /usr/lib/postgresql/*/bin/postgres; do
    if [ -x "$place" ]; then
        exit 0
    fi
done
if command -v initdb >/dev/null && command -v postgres >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql-common >/dev/null
    # Debian would make and start a server of its own, which nobody here needs.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/aar.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
    exit 0
fi
echo "setup: PostgreSQL is missing, on which the tests run as well as on SQLite ('make run' needs" \
    "none). Have somebody run 'apt-get install postgresql'." >&2
exit 1
