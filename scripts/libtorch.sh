#!/usr/bin/env bash
# Provides libtorch 2.13.0 (CPU) and tells cargo where it is.
#
# usage: scripts/libtorch.sh [--verify]
#
# The folder is, in this order:
#   1. the one that LIBTORCH names;
#   2. the cached one, ${XDG_CACHE_HOME:-~/.cache}/tidegate/libtorch-2.13.0-cpu;
#   3. the cached one, made from the archive (path or URL) that TIDEGATE_LIBTORCH_ARCHIVE names;
#   4. the cached one, made from three pinned Python wheels that pip downloads (540 MB, once).
# Leaves two git-ignored traces in the checkout: the link `.libtorch` and `.cargo/config.toml`.
# A finished folder needs no network; an interrupted run keeps the wheels that it has. `--verify` hashes every cached file
# (otherwise only when a size, a name or a time looks wrong).
set -euo pipefail

version=2.13.0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidegate
cached=$cache/libtorch-$version-cpu
downloads=$cache/downloads

# One exact set of wheels for every machine and Python version: file, bytes, SHA-256, requirement.
# The two small ones hold CUDA libraries that the CPU library names but does not use.
wheels='
nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl 2243632 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548 nvidia-cuda-runtime==13.0.96
nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl 10715597 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8 nvidia-cuda-cupti==13.0.85
torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl 526574961 60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7 torch==2.13.0
'

say() { printf 'libtorch: %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}

ways_out=(
    "set LIBTORCH to a folder that holds libtorch $version (with lib/, include/ and build-version)"
    "or set TIDEGATE_LIBTORCH_ARCHIVE to PyTorch's own CPU archive of libtorch $version, a path or a URL"
    "or do without neural models: make NO_LIBTORCH=1 test"
)


# Prints one hash over the sizes and names of all files of a folder: what a look without reading can tell.
layout() { (cd "$1" && find include lib build-version -type f -printf '%s %p\n' | LC_ALL=C sort | sha256sum); }

# Succeeds when the folder is as it was made. Reads the files only when asked to, or when one was written since.
intact() {
    local folder=$1 thorough=$2
    [ -f "$folder/SHA256SUMS" ] && [ -f "$folder/LAYOUT" ] || return 1
    [ "$(layout "$folder" 2>/dev/null)" = "$(cat "$folder/LAYOUT")" ] || return 1
    if [ "$thorough" = yes ] || [ -n "$(cd "$folder" && find include lib build-version -newer SHA256SUMS -print -quit)" ]; then
        (cd "$folder" && sha256sum --check --quiet --strict SHA256SUMS >/dev/null 2>&1) || return 1
        touch "$folder/SHA256SUMS"
    fi
}

# Signs a finished folder and puts it in place in one step.
finish() {
    local folder=$1
    layout "$folder" >"$folder/LAYOUT"
    (cd "$folder" && find include lib build-version -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$folder/SHA256SUMS"
    mv "$folder" "$cached"
}

check_platform() {
    local system glibc
    system="$(uname -s) $(uname -m)"
    [ "$system" = "Linux x86_64" ] ||
        fail "libtorch can be fetched for Linux x86_64 only, this is \`$system\`" "${ways_out[@]}"
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc 2\.\([0-9]*\).*/\1/p')
    [ "${glibc:-0}" -ge 28 ] ||
        fail "libtorch needs glibc 2.28 or newer, found \`$(getconf GNU_LIBC_VERSION 2>/dev/null || echo none)\`" "${ways_out[@]}"
}

make_cached() {
    check_platform
    local partial=$cached.partial
    rm -rf "$partial"
    mkdir -p "$partial/lib" "$downloads"
    if [ -n "${TIDEGATE_LIBTORCH_ARCHIVE:-}" ]; then
        "$root/scripts/prerequisites.sh" python3
        from_archive "$TIDEGATE_LIBTORCH_ARCHIVE" "$partial"
    else
        "$root/scripts/prerequisites.sh" python3 pip cc
        from_wheels "$partial"
    fi
    finish "$partial"
    rm -rf "$downloads"
}


# Unpacks headers, CPU libraries and the version out of wheels or an archive (both are zip files) into a folder.
unpack() { # folder archive...
    say "unpacking"
    python3 - "$@" <<'PYTHON'
import os, pathlib, shutil, sys, zipfile

UNUSED = ("libtorch_cuda", "libtorch_python", "libtorch_nvshmem", "libtorch_global_deps", "libc10_cuda", "libcaffe2_nvrtc", "libshm")
CUDA = ("libcudart.so.13", "libcupti.so.13")


def destination(path):
    top, rest = path.parts[0], path.parts[1:]
    if top in ("torch", "libtorch"):
        if rest[:1] == ("include",) or rest == ("build-version",):
            return rest
        if rest[:1] == ("lib",) and len(rest) == 2 and ".so" in path.name and not path.name.startswith(UNUSED):
            return rest
    if top == "nvidia" and path.name in CUDA:
        return ("lib", path.name)
    return None


def unpack(folder, archive):
    for member in archive.infolist():
        path = pathlib.PurePosixPath(member.filename)
        parts = None if member.is_dir() or ".." in path.parts else destination(path)
        if parts is None:
            continue
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        os.chmod(target, 0o755 if ".so" in path.name else 0o644)


try:
    for archive in sys.argv[2:]:
        unpack(pathlib.Path(sys.argv[1]), zipfile.ZipFile(archive))
except (OSError, zipfile.BadZipFile) as error:
    sys.exit(f"{archive}: {error}")
PYTHON
}

complete() { # file bytes sha256
    [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] && [ "$(sha256sum <"$1")" = "$3  -" ]
}

fetch_wheel() { # file bytes sha256 requirement
    complete "$downloads/$1" "$2" "$3" && return
    rm -f "$downloads/$1"
    say "downloading $4 ($(($2 / 1000000)) MB)"
    # pip's own temporary folder may be a small one in memory.
    rm -rf "$downloads/tmp" && mkdir "$downloads/tmp"
    printf '%s --hash=sha256:%s\n' "$4" "$3" >"$downloads/requirement.txt"
    TMPDIR=$downloads/tmp python3 -m pip --disable-pip-version-check download --quiet --progress-bar off --no-cache-dir --no-deps --retries 3 \
        --require-hashes --requirement "$downloads/requirement.txt" --dest "$downloads" --only-binary :all: \
        --python-version 3.11 --implementation cp --abi cp311 \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 >&2 ||
        fail "pip could not download \`$4\` (its own words are above)" \
            "connect to the network and run this again: what is complete is kept" "${ways_out[@]}"
    complete "$downloads/$1" "$2" "$3" || fail "\`$downloads/$1\` does not have the expected size and SHA-256"
}

from_wheels() {
    local folder=$1 file bytes sha256 requirement
    while read -r file bytes sha256 requirement; do
        [ -z "$file" ] || fetch_wheel "$file" "$bytes" "$sha256" "$requirement"
    done <<<"$wheels"
    unpack "$folder" "$downloads"/*.whl ||
        fail "the wheels in \`$downloads\` could not be unpacked" "is the disk full? about 500 MB are needed"
    # The wheel's own libtorch.so needs the CUDA libraries; this one only stands for the two that are kept.
    # shellcheck disable=SC2016 # $ORIGIN is for the loader
    (cd "$folder" && cc -shared -o lib/libtorch.so -x c /dev/null -Wl,--no-as-needed -Llib -ltorch_cpu -lc10 \
        -Wl,-rpath,'$ORIGIN' -Wl,-soname,libtorch.so) ||
        fail "\`cc\` could not link libtorch.so (its own words are above)"
    echo "$version" >"$folder/build-version"
}


from_archive() {
    local archive=$1 folder=$2
    case "$archive" in
        *://*)
            command -v curl >/dev/null 2>&1 || fail "downloading an archive needs \`curl\`" "download it by other means and give its path"
            say "downloading $archive"
            curl --fail --location --connect-timeout 10 --retry 3 --continue-at - --output "$downloads/libtorch.zip" "$archive" ||
                fail "\`$archive\` could not be downloaded" "run this again: what has arrived is kept" "${ways_out[@]}"
            archive=$downloads/libtorch.zip
            ;;
    esac
    [ -f "$archive" ] || fail "there is no file \`$archive\` (from TIDEGATE_LIBTORCH_ARCHIVE)"
    unpack "$folder" "$archive" || {
        rm -f "$downloads/libtorch.zip"
        fail "\`$archive\` is damaged or no libtorch archive"
    }
    check_folder "$folder" TIDEGATE_LIBTORCH_ARCHIVE
}


check_folder() { # folder variable
    local found
    [ -d "$1" ] || fail "there is no folder \`$1\` (from $2)"
    found=$(cat "$1/build-version" 2>/dev/null || echo unknown)
    case "$found" in
        "$version" | "$version"+*) ;;
        *) fail "libtorch must be $version, \`$1/build-version\` (from $2) says \`$found\`" ;;
    esac
    local file
    for file in lib/libtorch_cpu.so lib/libtorch.so lib/libc10.so include/torch/csrc/api/include/torch/torch.h; do
        [ -f "$1/$file" ] || fail "\`$1\` (from $2) lacks \`$file\`"
    done
}

# Plain `cargo` reads this, so that it and `make` agree on the folder (a change rebuilds the binding).
tell_cargo() {
    local folder=$1 config escaped
    [ ! -e "$root/.libtorch" ] || [ -L "$root/.libtorch" ] || fail "\`$root/.libtorch\` is in the way: move it"
    [ "$(readlink "$root/.libtorch" 2>/dev/null)" = "$folder" ] || ln -sfn "$folder" "$root/.libtorch"
    escaped=$(printf '%s' "$folder" | sed 's/[\\"]/\\&/g')
    config="# Written by scripts/libtorch.sh; do not edit.
[env]
LIBTORCH = \"$escaped\""
    [ "$(cat "$root/.cargo/config.toml" 2>/dev/null)" = "$config" ] && return
    mkdir -p "$root/.cargo"
    printf '%s\n' "$config" >"$root/.cargo/config.toml"
}

main() {
    trap 'say "interrupted; run it again to go on"; exit 130' INT TERM
    local thorough=no folder
    case "${1:-}" in
        "") ;;
        --verify) thorough=yes ;;
        *) fail "unknown argument \`$1\`" "usage: scripts/libtorch.sh [--verify]" ;;
    esac
    if [ -n "${LIBTORCH:-}" ]; then
        check_folder "$LIBTORCH" LIBTORCH
        folder=$(cd "$LIBTORCH" && pwd)
    else
        folder=$cached
        if ! intact "$cached" "$thorough"; then
            mkdir -p "$cache" 2>/dev/null || fail "cannot write to \`$cache\`" "set XDG_CACHE_HOME to a folder that can be written"
            # Two builds at once would download twice: the second waits, then finds the folder finished.
            if command -v flock >/dev/null 2>&1; then exec 9>"$cache/libtorch.lock" && flock 9; fi
            if ! intact "$cached" yes; then
                [ ! -e "$cached" ] || say "\`$cached\` is damaged or unfinished: making it anew"
                rm -rf "$cached"
                make_cached
            fi
        fi
    fi
    tell_cargo "$folder"
    echo "libtorch $version: $folder"
}

main "$@"
