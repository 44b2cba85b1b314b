"""Score the predictions of an external data set, and compare the scores with those of the cross-validation.

Example: python workflow/scripts/external_evaluate.py --settings "$JSON" --results results --name siena
--combination vit_mel_2class
"""

import argparse
from pathlib import Path

from eegwf.config.stages.external import ExternalEvaluateSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=ExternalEvaluateSettings.parse, required=True, help="settings, JSON")
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--name", required=True, help="name of the external data set")
    parser.add_argument("--combination", required=True, help="name of the combination")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import external_evaluate
    external_evaluate.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
