"""Work on one study: run trials until it has no more to begin.

Example: python workflow/scripts/search.py --name vit_mel_3class_fold1 --fold 1 --worker 1 --config "$JSON" --code abc
--windows windows.tsv --folds folds.tsv --arrays mel.npy --state state --output worker1.json
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.tune import search_study


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the study")
    parser.add_argument("--fold", type=int, required=True, help="outer fold that it must not see, 0 for none")
    parser.add_argument("--worker", type=int, required=True, help="number of this worker of the study")
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--code", required=True, help="digest of the code")
    for name in ("windows", "folds", "state", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--arrays", nargs="+", required=True, help="spectrograms, .npy")
    arguments = vars(parser.parse_args())
    search_study(**arguments)


if __name__ == "__main__":
    run_script(main)
