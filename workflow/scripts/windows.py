"""Read every recording and cut it into labelled windows.

Example: python workflow/scripts/windows.py --config "$JSON" --code abc --root data/bids --state results/state
--output results/data --workers 4
"""

import argparse
import json
from pathlib import Path

from eegwf.data.dataset import write_dataset_windows
from eegwf.errors import run_script
from eegwf.jobs.windows import parse_reading


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--root", type=Path, required=True, help="root of the BIDS data set")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables and arrays")
    parser.add_argument("--workers", type=int, default=1, help="processes that read")
    arguments = parser.parse_args()
    reading = parse_reading(arguments.config, arguments.root)
    write_dataset_windows(reading, arguments.output, arguments.state, arguments.workers, arguments.code)


if __name__ == "__main__":
    run_script(main)
