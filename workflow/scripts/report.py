"""Write the report of one combination, with timing.tsv, ledger.tsv and run.json beside it.

Example: python workflow/scripts/report.py --config "$JSON" --results results --model vit --spectrogram mel
--classes 3class --output results/vit_mel_3class/report.html
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.jobs.report import report_combination


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=json.loads, required=True, help="the whole configuration, JSON")
    parser.add_argument("--results", required=True, help="output folder of the study")
    parser.add_argument("--model", required=True, help="model of the combination")
    parser.add_argument("--spectrogram", required=True, help="its spectrogram")
    parser.add_argument("--classes", required=True, help="its class set")
    parser.add_argument("--output", required=True, help="the page")
    report_combination(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
