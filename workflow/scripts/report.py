"""Write the report of a combination, with timing.tsv, ledger.tsv and run.json beside it.

Example: python workflow/scripts/report.py --settings "$JSON" --results results --model vit --spectrogram mel
--classes 3class --stages windows folds tune retrain --output results/vit_mel_3class/report.html
"""

import argparse
from pathlib import Path

from eegwf.config.stages.report import ReportSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=ReportSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--model", required=True, help="model of the combination")
    parser.add_argument("--spectrogram", required=True, help="its spectrogram")
    parser.add_argument("--classes", required=True, help="its class set")
    parser.add_argument("--stages", nargs="+", required=True, help="stages of the workflow, in their order")
    parser.add_argument("--baseline", type=Path, help="choice of the classical baseline, JSON; none without one")
    parser.add_argument("--output", type=Path, required=True, help="report to write, HTML")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import report
    report.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
