"""Import the given arrays of one spectrogram, all folds into one file.

Example: python workflow/scripts/import_spectrogram.py --settings "$JSON" --name mel --array mel.npy --axes mel.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import ImportSpectrogramSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--settings", type=ImportSpectrogramSettings.parse, required=True, help="settings of the stage, JSON"
    )
    parser.add_argument("--name", required=True, help="mel, stft or cwt")
    parser.add_argument("--array", type=Path, required=True, help="array to write, .npy")
    parser.add_argument("--axes", type=Path, required=True, help="axes to write, .json")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import import_spectrogram
    import_spectrogram.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
