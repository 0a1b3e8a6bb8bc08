#!/usr/bin/env bash
# Trains the members of tests/vectors/trained anew, with the forecasts that every build must repeat from them.
#
# Needed when what they are trained from has changed, or the way it is hashed: `tests/it/trained.rs` then says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

vectors=tests/vectors/trained
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT

cargo build --release -p tidegate-cli
binary=${CARGO_TARGET_DIR:-target}/release/tidegate
rm -rf "$vectors/members"
"$binary" train "$vectors/strategy.toml" --cache "$vectors" --out "$run"
cp "$run/forecasts.parquet" "$vectors/forecasts.parquet"
