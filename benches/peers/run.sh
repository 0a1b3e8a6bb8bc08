#!/usr/bin/env bash
# Times the tools that a user would pick instead, in environments that are thrown away afterwards.
#
# usage: benches/peers/run.sh [features] [sma_cross] [gru_step] [gru_inference] [gru_ensemble]
#        (default: features sma_cross)
#
# `gru_step`, `gru_inference` and `gru_ensemble` install PyTorch with its CUDA libraries, several gigabytes. `gru_inference` runs our
# own benchmark in turns with its peers and prints ratios. Prints one line of JSON a workload.
# Run it right before or after `make bench` on the same idle machine: only ratios within one sitting count.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ $# -gt 0 ] || set -- features sma_cross

# One environment for PyTorch, one for everything else.
environment() {
    case "$1" in
        gru_step | gru_inference | gru_ensemble) echo requirements-torch ;;
        features | sma_cross) echo requirements ;;
        *)
            echo "error: unknown workload \`$1\`, known: features, sma_cross, gru_step, gru_inference, gru_ensemble" >&2
            return 1
            ;;
    esac
}

for workload in "$@"; do environment "$workload" >/dev/null; done
for workload in "$@"; do
    name=$(environment "$workload")
    if [ ! -d "$scratch/$name" ]; then
        echo "installing benches/peers/$name.txt" >&2
        python3 -m venv "$scratch/$name"
        "$scratch/$name/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/$name.txt"
    fi
    NUMBA_CACHE_DIR=$scratch PYTHONDONTWRITEBYTECODE=1 "$scratch/$name/bin/python" "$here/$workload.py"
done
