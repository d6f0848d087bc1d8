#!/usr/bin/env bash
# A newcomer's path: an empty project in an empty directory, the client installed from this directory as it would be
# published, the README's first two snippets pasted, and run: newcomer.sh DIRECTORY [ADDRESS].
set -euo pipefail

client="$(cd "$(dirname "$0")" && pwd)"
project="$1"
address="${2:-127.0.0.1:8013}"

mkdir -p "$project"
packed="$(cd "$client" && npm pack --silent --ignore-scripts --pack-destination "$project" | tail -1)"
cd "$project"
npm init --yes >/dev/null
npm pkg set type=module
npm install --silent --no-audit --no-fund --prefer-offline "./$packed"
npm install --silent --no-audit --no-fund --prefer-offline --save-dev "typescript@~5.9" "@types/node@20"
awk '/^```ts$/ { n += 1; inside = 1; next } /^```$/ { inside = 0 } inside && n <= 2' "$client/README.md" |
  sed "s|127.0.0.1:8013|$address|" >first.ts
echo 'await client.close();' >>first.ts
npx --no-install tsc --module nodenext --target es2022 --strict --types node first.ts
node first.js
