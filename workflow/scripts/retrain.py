"""Retrain the best parameter sets of an outer fold.

Example: python workflow/scripts/retrain.py --name vit_mel_3class_fold1 --fold 1 --settings "$JSON" --code abc
--windows windows.tsv --folds folds.tsv --arrays mel.npy --best best.json --state state --output fold1/retrain
"""

import argparse
from pathlib import Path

from eegwf.config.stages.model import RetrainSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=RetrainSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--name", required=True, help="name of the combination with its fold")
    parser.add_argument("--fold", type=int, required=True, help="outer fold")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--folds", type=Path, required=True, help="table of the folds")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--best", type=Path, required=True, help="best parameter sets, JSON")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--output", type=Path, required=True, help="folder of the ranks")
    parser.add_argument("--init", type=Path, help="folder of the initial weights; random ones without it")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import retrain
    retrain.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
