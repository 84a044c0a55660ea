#!/bin/sh
# Install the agent clients that the drivers claude-code and codex run: ci/agents.sh FOLDER
set -eu
folder=$1
if cmp -s ci/agents/package.json "$folder/package.json" && [ -d "$folder/node_modules" ]; then
    exit 0
fi
if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq npm >/dev/null
fi
if ! command -v npm >/dev/null; then
    echo "setup: npm is missing, which installs Claude Code and Codex for the tests ('make run'" \
        "needs neither). Have somebody run 'apt-get install npm'." >&2
    exit 1
fi
mkdir -p "$folder"
rm -f "$folder/package.json"
cp ci/agents/package.json "$folder/.package.json"
(cd "$folder" && cp .package.json package.json && npm install --no-audit --no-fund --loglevel=error) \
    || { rm -f "$folder/package.json"; exit 1; }
