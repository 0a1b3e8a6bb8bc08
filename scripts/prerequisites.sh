#!/usr/bin/env bash
# Checks that the named tools are on this machine and names the command that installs each missing one.
#
# usage: scripts/prerequisites.sh TOOL...     with TOOL one of: cargo cc c++ python3 pip
set -euo pipefail

present() {
    case "$1" in
        pip) python3 -m pip --version >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Prints the command that installs a tool with the package manager found here.
install_command() {
    if [ "$1" = cargo ]; then
        echo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    elif command -v apt-get >/dev/null 2>&1; then
        case "$1" in
            cc | c++) echo "sudo apt-get install build-essential" ;;
            python3) echo "sudo apt-get install python3 python3-pip" ;;
            pip) echo "sudo apt-get install python3-pip" ;;
        esac
    elif command -v dnf >/dev/null 2>&1; then
        case "$1" in
            cc | c++) echo "sudo dnf install gcc gcc-c++" ;;
            python3) echo "sudo dnf install python3 python3-pip" ;;
            pip) echo "sudo dnf install python3-pip" ;;
        esac
    elif command -v pacman >/dev/null 2>&1; then
        case "$1" in
            cc | c++) echo "sudo pacman -S base-devel" ;;
            python3) echo "sudo pacman -S python python-pip" ;;
            pip) echo "sudo pacman -S python-pip" ;;
        esac
    elif command -v zypper >/dev/null 2>&1; then
        case "$1" in
            cc | c++) echo "sudo zypper install gcc gcc-c++" ;;
            python3) echo "sudo zypper install python3 python3-pip" ;;
            pip) echo "sudo zypper install python3-pip" ;;
        esac
    elif command -v brew >/dev/null 2>&1; then
        case "$1" in
            cc | c++) echo "xcode-select --install" ;;
            python3 | pip) echo "brew install python" ;;
        esac
    else
        echo "install it with this system's package manager"
    fi
}

purpose() {
    case "$1" in
        cargo) echo "the Rust toolchain builds Tidegate" ;;
        c++) echo "a C++ compiler builds the libtorch binding" ;;
        cc) echo "a C compiler links libtorch" ;;
        python3) echo "Python 3 unpacks libtorch" ;;
        pip) echo "pip downloads libtorch" ;;
    esac
}

missing=0
for tool in "$@"; do
    [ -n "$(purpose "$tool")" ] || { echo "error: unknown tool \`$tool\`" >&2; exit 2; }
    present "$tool" && continue
    missing=$((missing + 1))
    printf 'error: %s is missing: %s\n  install: %s\n' "$tool" "$(purpose "$tool")" "$(install_command "$tool")" >&2
done
[ "$missing" -eq 0 ]
