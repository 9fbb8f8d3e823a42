#!/usr/bin/env bash
# The main job on embedded stores, in a folder of its own: sample run records, one pass, the status report.
set -euo pipefail
archiver=(node "$(dirname "$0")/../dist/main.js")
site=$(mktemp -d "${TMPDIR:-/tmp}/run-archiver-try.XXXXXX")/site

"${archiver[@]}" init "$site"
echo
echo "\$ run-archiver $site/config.yaml"
"${archiver[@]}" "$site/config.yaml" || [ $? -eq 1 ]
echo
echo "\$ run-archiver $site/config.yaml --compare-state"
"${archiver[@]}" "$site/config.yaml" --compare-state
echo
echo "run-archiver stands for: node $(cd "$(dirname "$0")/.." && pwd)/dist/main.js (\"npm link\" puts it into PATH)"
echo "Everything is in $site; look around, then remove it."
