#!/bin/sh
# Checks docs/asyncapi.yaml with the reference parser. Needs node and npm; installs into a folder of its own and removes it.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-package-lock @asyncapi/parser@3 >/dev/null
cat >check.cjs <<'JS'
const { Parser, fromFile } = require('@asyncapi/parser');
fromFile(new Parser(), process.argv[2]).parse().then(({ document, diagnostics }) => {
  const faults = diagnostics.filter((it) => it.severity === 0);
  diagnostics.forEach((it) => console.log(['error', 'warning', 'info', 'hint'][it.severity], it.path.join('.'), it.message));
  if (!document || faults.length) process.exit(1);
  console.log(`valid: ${document.allChannels().length} channels, ${document.allOperations().length} operations, ${document.allMessages().length} messages`);
});
JS
node check.cjs "$root/docs/asyncapi.yaml"
