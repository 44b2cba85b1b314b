"""Compute one spectrogram of all windows.

Example: python workflow/scripts/spectrogram.py --name mel --settings '{"mel": {}, "device": "cpu"}' --code abc
--windows results/data/windows.npy --state results/state --array results/spectrograms/mel.npy
--axes results/spectrograms/mel.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.spectrogram import SpectrogramSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=SpectrogramSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--name", required=True, help="mel, stft or cwt")
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--windows", type=Path, required=True, help="windows.npy, with windows.json beside it")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--array", type=Path, required=True, help="array to write, .npy")
    parser.add_argument("--axes", type=Path, required=True, help="axes to write, .json")
    parser.add_argument("--threads", type=int, default=1, help="threads")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import spectrogram
    spectrogram.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
