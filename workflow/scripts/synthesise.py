"""Write the synthetic data set.

Example: python workflow/scripts/synthesise.py --config '{"dataset": {"kind": "synthetic"}}' --output results/data/bids
"""

import argparse
import json
from pathlib import Path

from eegwf.config.data import Synthetic
from eegwf.data.synthetic.dataset import write_dataset
from eegwf.errors import run_script


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--output", type=Path, required=True, help="root of the data set")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    dataset = Synthetic.model_validate(arguments.config["dataset"])
    write_dataset(arguments.output, dataset, arguments.workers, progress=True)


if __name__ == "__main__":
    run_script(main)
