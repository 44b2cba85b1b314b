"""Measure how long the jobs of the workflow take to start: from the start of the process to the first line of the job.

Example: python -m bench.startup --rounds 5
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from eegwf.dag.stages import STAGES

ROOT = Path(__file__).parents[1]
# The imports of the script, then those of its job, and the end as after a job.
CODE = """
import gc, runpy
script = runpy.run_path("workflow/scripts/{stage}.py")
with script["fast_imports"]():
    import eegwf.jobs.{stage}
print("started", flush=True)
gc.freeze()
"""


def start(stage: str) -> tuple[float, float]:
    """Start the job of a stage and end it at once.

    Parameters
    ----------
    stage
        Name of the stage.

    Returns
    -------
    first_line, whole : float
        Seconds until its imports are finished, and until the process has ended.
    """
    begin = time.perf_counter()
    command = [sys.executable, "-c", CODE.format(stage=stage)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "started\n":
            raise RuntimeError(f"the job of {stage} does not start")
        first_line = time.perf_counter() - begin
        process.wait()
    return first_line, time.perf_counter() - begin


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of starts of each job; the fastest counts")
    arguments = parser.parse_args()
    print("| job | imported after, s | ended after, s |\n|---|---|---|")
    for stage in dict.fromkeys(stage.script for stage in STAGES.values()):
        times = [start(stage) for _ in range(arguments.rounds)]
        first_line, whole = (min(column) for column in zip(*times, strict=True))
        print(f"| `{stage}` | {first_line:.2f} | {whole:.2f} |", flush=True)


if __name__ == "__main__":
    main()
