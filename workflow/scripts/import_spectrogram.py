"""Import given arrays of one spectrogram, all folds in one file.

Example: python workflow/scripts/import_spectrogram.py --config "$JSON" --name mel --array mel.npy --axes mel.json
"""

import argparse
import json
from pathlib import Path

from eegwf.errors import run_script
from eegwf.jobs.import_spectrogram import import_spectrogram


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--name", required=True, help="mel, stft or cwt")
    parser.add_argument("--array", type=Path, required=True, help=".npy to write")
    parser.add_argument("--axes", type=Path, required=True, help=".json to write")
    import_spectrogram(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
