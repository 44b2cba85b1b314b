"""Train the final models of a combination on all patients.

Example: python workflow/scripts/finalize.py --name vit_mel_3class --settings "$JSON" --code abc --data results/data
--arrays mel.npy --state state --output results/vit_mel_3class
"""

import argparse
from pathlib import Path

from eegwf.config.stages.model import FinalizeSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=FinalizeSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--name", required=True, help="name of the combination")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables and windows")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--output", type=Path, required=True, help="folder of the combination")
    parser.add_argument("--init", type=Path, help="folder of the initial weights; random ones without it")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import finalize
    finalize.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
