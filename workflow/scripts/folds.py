"""Make the folds by patient, and let nothing pass that would leak.

Example: python workflow/scripts/folds.py --config '{"folds": 5, "seed": 1}' --windows windows.tsv --arrays windows.npy
--folds folds.tsv --leakage leakage.json
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.folds import write_folds


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--windows", required=True, help="table of the windows")
    parser.add_argument("--arrays", required=True, help="samples behind the windows, .npy")
    parser.add_argument("--given", help="table of folds that came with the data")
    parser.add_argument("--folds", required=True, help="table of folds to write")
    parser.add_argument("--leakage", required=True, help="what the checks found, JSON to write")
    write_folds(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
