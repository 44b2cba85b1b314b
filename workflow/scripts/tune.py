"""Take the best parameter sets of a finished study for one outer fold.

Example: python workflow/scripts/tune.py --config "$JSON" --workers worker1.json worker2.json --state state
--trials trials.tsv --best best.json --timing timing.tsv
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.select_best import tune_fold


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--workers", nargs="+", required=True, help="what the study's workers wrote, .json")
    for name in ("state", "trials", "best", "timing"):
        parser.add_argument(f"--{name}", required=True)
    arguments = vars(parser.parse_args())
    tune_fold(**arguments)


if __name__ == "__main__":
    run_script(main)
