"""Look for persons who trained the models and are in an external data set.

Example: python workflow/scripts/external_leakage.py --settings "$JSON" --name siena
--configfile config/datasets/siena.yaml --study results/data/windows.tsv
--windows results/external/siena/data/windows.tsv --output results/external/siena/data/leakage.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.external import ExternalLeakageSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=ExternalLeakageSettings.parse, required=True, help="settings, JSON")
    parser.add_argument("--name", required=True, help="name of the external data set")
    parser.add_argument("--configfile", required=True, help="its configuration file")
    parser.add_argument("--study", type=Path, required=True, help="table of the windows of the study")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows of the data set")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--init", type=Path, help="folder of the initial weights of fine-tuning")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import external_leakage
    external_leakage.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
