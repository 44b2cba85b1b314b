"""Read the labels, patients and folds of given arrays.

Example: python workflow/scripts/import_tables.py --settings "$JSON" --output results/data
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import ImportTablesSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--settings", type=ImportTablesSettings.parse, required=True, help="settings of the stage, JSON"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import import_tables
    import_tables.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
