"""Random seeds depend on the configured seed and the purpose, and on nothing else."""

import subprocess
import sys

from eegwf.seeds import seed_of


def test_seeds_depend_on_seed_and_purpose_only(root):
    program = "from eegwf.seeds import seed_of; print(seed_of(1, 'vit_fold1', 'trial', 3))"
    command = [sys.executable, "-c", program]
    outputs = {subprocess.check_output(command, cwd=root, env={"PYTHONHASHSEED": number}) for number in ("1", "2")}
    seed = seed_of(1, "vit_fold1", "trial", 3)
    assert outputs == {f"{seed}\n".encode()}
    seeds = {seed_of(a, b, c) for a in range(20) for b in ("order", "weights") for c in range(50)}
    assert len(seeds) == 20 * 2 * 50 and all(0 <= seed < 2**63 for seed in seeds)
    # Any bit is set in about half of them.
    assert 0.45 < sum(seed >> 40 & 1 for seed in seeds) / len(seeds) < 0.55
