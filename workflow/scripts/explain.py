"""Explain the test predictions of one outer fold by saliency and Grad-CAM.

Example: python workflow/scripts/explain.py --name vit_mel_3class_fold1 --fold 1 --config "$JSON" --windows windows.tsv
--folds folds.tsv --arrays mel.npy --models rank1/model.json rank2/model.json --output fold1/explain
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.explain import explain_fold


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the study")
    parser.add_argument("--fold", type=int, required=True, help="outer fold")
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    for name in ("windows", "folds", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--arrays", nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--models", nargs="+", required=True, help="model.json of each rank")
    explain_fold(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
