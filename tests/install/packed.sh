#!/usr/bin/env bash
# What `cargo package` packs is complete: it builds, and its tests run without the repository. The fast ones, which
# read most of the files.
#
# Usage: tests/install/packed.sh [CARGO PACKAGE'S OPTIONS]
set -euo pipefail
cd "$(dirname "$0")/../.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo package --locked --no-verify "$@"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cd "$CARGO_TARGET_DIR/package"
rm -rf unpacked
mkdir unpacked
tar -xzf "hstreamdb-blocking-$version.crate" -C unpacked
cd "unpacked/hstreamdb-blocking-$version"
# A profile of its own keeps cargo from taking what the repository was built to for this, and the other way round.
cargo test --locked --offline --all-features --config profile.dev.package.hstreamdb-blocking.debug=false \
    --test header --test abi --test parity --test licences
cd "$CARGO_TARGET_DIR/package"
rm -rf unpacked
