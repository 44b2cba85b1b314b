"""Run the trials of an Optuna study as one of its workers.

Example: python workflow/scripts/tune.py --name vit_mel_3class_fold1 --fold 1 --worker 1 --settings "$JSON" --code abc
--windows windows.tsv --folds folds.tsv --arrays mel.npy --state state --output worker1.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.model import TuneSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=TuneSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--name", required=True, help="name of the study")
    parser.add_argument("--fold", type=int, required=True, help="outer fold that it must not see, 0 for none")
    parser.add_argument("--worker", type=int, required=True, help="number of this worker of the study")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--folds", type=Path, required=True, help="table of the folds")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--output", type=Path, required=True, help="file to write, JSON")
    parser.add_argument("--init", type=Path, help="folder of the initial weights; random ones without it")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import tune
    tune.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
