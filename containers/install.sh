#!/bin/bash
# Installs the environment of an image: the packages of the lock file, with hashes, and this library.
# Usage: install.sh [PACKAGE INDEX OF ANOTHER BUILD OF TORCH]
set -euo pipefail
index=${1:-}
root=$(cd "$(dirname "$0")/.." && pwd)
find "$root" -name __pycache__ -prune -exec rm -rf {} +
python3 -m venv "$root/venv"
pip=("$root/venv/bin/python" -m pip --no-cache-dir)
if [ -n "$index" ]; then
  # The lock file without torch and the CUDA libraries, then the same versions of torch from the other index.
  version() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" "$root/envs/eegwf.txt" | head -n 1; }
  awk '/^[a-zA-Z0-9]/ { kept = /^nvidia-ml-py==/ || !/^((torch|torchvision|triton)==|nvidia-|cuda-)/ } kept' \
    "$root/envs/eegwf.txt" >/tmp/lock.txt
  "${pip[@]}" install --no-deps --require-hashes --requirement /tmp/lock.txt
  "${pip[@]}" install --index-url "$index" "torch==$(version torch)" "torchvision==$(version torchvision)"
  rm /tmp/lock.txt
else
  "${pip[@]}" install --require-hashes --requirement "$root/envs/eegwf.txt"
fi
"${pip[@]}" install --no-deps --no-build-isolation --editable "$root"
"${pip[@]}" check
# Compiled now, since the image is read-only.
"$root/venv/bin/python" -m compileall -q "$root/eegwf" "$root/workflow"
