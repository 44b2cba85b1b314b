"""Write the synthetic data set.

Example: python workflow/scripts/synthesize.py --settings '{"dataset": {"kind": "synthetic"}}' --output bids
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import SynthesizeSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=SynthesizeSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--output", type=Path, required=True, help="root of the data set")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import synthesize
    synthesize.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
