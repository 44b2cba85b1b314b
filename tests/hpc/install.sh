#!/usr/bin/env bash
# Installs what tests/hpc brings a SLURM up with, from the distribution's packages, where that can be done.
set -euo pipefail
if ! command -v slurmctld >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends slurm-wlm munge) \
    >/dev/null 2>&1 || echo "SLURM could not be installed; its tests will be skipped"
fi
