"""Score the test predictions of all folds and ranks of a combination.

Example: python workflow/scripts/evaluate.py --settings "$JSON" --tests fold1/retrain/rank1/test.tsv
--windows windows.tsv --recordings recordings.tsv --events events.tsv --output results/vit_mel_3class
"""

import argparse
from pathlib import Path

from eegwf.config.stages.evaluation import EvaluateSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=EvaluateSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--tests", type=Path, nargs="+", required=True, help="test.tsv of every fold and rank")
    parser.add_argument(
        "--seeds", type=Path, nargs="*", default=[], help="test.tsv of every fold and further seed of rank 1"
    )
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings")
    parser.add_argument("--events", type=Path, required=True, help="table of the events")
    parser.add_argument("--output", type=Path, required=True, help="folder of the combination")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import evaluate
    evaluate.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
