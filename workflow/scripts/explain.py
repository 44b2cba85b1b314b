"""Explain the test predictions of an outer fold, and measure how far each method can be believed.

Example: python workflow/scripts/explain.py --name vit_mel_3class_fold1 --fold 1 --settings "$JSON"
--windows windows.tsv --folds folds.tsv --arrays mel.npy --models rank1/model.json
--output fold1/explain
"""

import argparse
from pathlib import Path

from eegwf.config.stages.model import ExplainSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=ExplainSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--name", required=True, help="name of the combination with its fold")
    parser.add_argument("--fold", type=int, required=True, help="outer fold")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--folds", type=Path, required=True, help="table of the folds")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model.json of each rank")
    parser.add_argument("--signals", type=Path, help="time series of the windows, windows.npy; none: imported arrays")
    parser.add_argument("--truth", type=Path, help="ground truth of a synthetic data set, truth.json")
    parser.add_argument("--output", type=Path, required=True, help="folder of the maps")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import explain
    explain.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
