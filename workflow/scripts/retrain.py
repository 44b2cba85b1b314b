"""Retrain the best parameter sets of one outer fold.

Example: python workflow/scripts/retrain.py --name vit_mel_3class_fold1 --fold 1 --config "$JSON" --code abc
--windows windows.tsv --folds folds.tsv --arrays mel.npy --best best.json --state state --output fold1/retrain
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.retrain import retrain_fold


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the study")
    parser.add_argument("--fold", type=int, required=True, help="outer fold")
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--code", required=True, help="digest of the code")
    for name in ("windows", "folds", "best", "state", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--arrays", nargs="+", required=True, help="spectrograms, .npy")
    arguments = vars(parser.parse_args())
    retrain_fold(**arguments)


if __name__ == "__main__":
    run_script(main)
