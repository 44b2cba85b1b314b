"""Turn windows into a spectrogram array.

Example: python workflow/scripts/spectrogram.py --name mel --config '{"grid": {}, "device": "cpu"}' --code abc
--windows results/data/windows.npy --state results/state --array results/spectrograms/mel.npy
--axes results/spectrograms/mel.json
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.spectrogram import write_from_windows


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="mel, stft or cwt")
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--state", required=True, help="folder of unfinished work")
    parser.add_argument("--windows", required=True, help="windows.npy, windows.json beside it")
    parser.add_argument("--array", required=True, help=".npy to write")
    parser.add_argument("--axes", required=True, help=".json to write")
    parser.add_argument("--threads", type=int, default=1, help="threads")
    write_from_windows(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
