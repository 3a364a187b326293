#!/usr/bin/env bash
# The C library is compiled without network, from vendored sources: checked, not linked, which tells what is missing.
#
# Usage: tests/install/vendored.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=${CARGO_TARGET_DIR:-$PWD/target}/vendored
rm -rf "$directory"
mkdir -p "$directory"
trap 'rm -rf "$directory"' EXIT

cargo vendor --locked --versioned-dirs "$directory/vendor" >"$directory/config.toml" 2>"$directory/log" ||
    { cat "$directory/log" && exit 1; }
# Nothing else is looked at: no registry that was used before, no network.
env CARGO_HOME="$directory/home" CARGO_TARGET_DIR="$directory/target" \
    cargo check --quiet --frozen --features ffi --config "$directory/config.toml"
echo "vendored: 1 passed, 0 failed"
