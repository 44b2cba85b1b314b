"""Score the test predictions of all folds and ranks.

Example: python workflow/scripts/evaluate.py --config "$JSON" --tests fold1/retrain/rank1/test.tsv --windows windows.tsv
--recordings recordings.tsv --events events.tsv --output results/vit_mel_3class
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.evaluate import evaluate_combination


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--tests", nargs="+", required=True, help="test.tsv of every fold and rank")
    for name in ("windows", "recordings", "events"):
        parser.add_argument(f"--{name}", required=True, help="table of the study")
    parser.add_argument("--output", required=True, help="folder of the combination")
    evaluate_combination(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
