"""Read every recording and cut it into labeled windows.

Example: python workflow/scripts/windows.py --settings "$JSON" --code abc --root data/bids --state results/state
--output results/data --workers 4
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import WindowsSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=WindowsSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--root", type=Path, required=True, help="root of the BIDS data set")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables and arrays")
    parser.add_argument("--like", type=Path, help="windows.json of the study whose channels and rate are read")
    parser.add_argument("--workers", type=int, default=1, help="processes that read")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import windows
    windows.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
