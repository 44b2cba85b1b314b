#!/usr/bin/env bash
# Installs what tests/hpc needs, a SLURM and an Apptainer, where that can be done: as root, with apt-get.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  exit
fi
if ! command -v slurmctld >/dev/null; then
  (apt-get update && apt-get install --yes --no-install-recommends slurm-wlm munge) >"$log" 2>&1 \
    || { tail -n 3 "$log"; echo "SLURM could not be installed; its tests will be skipped"; }
fi
./install_apptainer.sh "${XDG_CACHE_HOME:-$HOME/.cache}/eegwf-tests" >"$log" 2>&1 \
  || { tail -n 3 "$log"; echo "Apptainer could not be installed; its tests will be skipped"; }
rm -f "$log"
