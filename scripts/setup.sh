#!/bin/sh
# Installs the locked dependencies when they are missing or older than the lock file; otherwise does
# nothing, in a few milliseconds. npm's `pre…` scripts call it, so that one command is all a newcomer needs.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json
# Whoever links to what another checkout has installed answers for it: to install here would empty it there.
if [ -L node_modules ] && [ -x node_modules/.bin/node ]; then exit 0; fi
if [ -x node_modules/.bin/node ] && [ -f "$installed" ] && [ ! package-lock.json -nt "$installed" ]; then exit 0; fi
echo "latchkey: installing the locked dependencies (once)" >&2
# Whatever Node runs npm here, everything is then run by the Node that is pinned as a dependency: an
# engine warning about the former would only mislead.
npm ci --loglevel=error --no-audit --no-fund >&2
# Only a head start: the first run works without it.
node_modules/.bin/node scripts/warm-up.ts || true
touch "$installed"
