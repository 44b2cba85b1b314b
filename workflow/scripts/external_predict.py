"""Predict an external data set with the models of each outer fold, and with the final models.

Example: python workflow/scripts/external_predict.py --settings "$JSON" --name siena --windows windows.tsv
--arrays mel.npy --models results/vit_mel_2class --folds 1 2 3 --predictions predictions.tsv --mapping mapping.tsv
"""

import argparse
from pathlib import Path

from eegwf.config.stages.external import ExternalPredictSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=ExternalPredictSettings.parse, required=True, help="settings, JSON")
    parser.add_argument("--name", required=True, help="name of the external data set")
    parser.add_argument("--windows", type=Path, required=True, help="table of its windows")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="its spectrograms")
    parser.add_argument("--models", type=Path, required=True, help="folder of the combination")
    parser.add_argument("--folds", type=int, nargs="+", required=True, help="numbers of the outer folds")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions to write")
    parser.add_argument("--mapping", type=Path, required=True, help="classes of the event types to write")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import external_predict
    external_predict.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
