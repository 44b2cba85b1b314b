"""Read the labels, patients and folds of given arrays.

Example: python workflow/scripts/import_tables.py --config "$JSON" --output results/data
"""

import argparse
import json
from pathlib import Path

from eegwf.errors import run_script
from eegwf.jobs.import_tables import import_tables


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="slice of the configuration, JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")
    import_tables(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
