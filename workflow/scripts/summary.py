"""Put finished combinations of a study side by side.

Example: python workflow/scripts/summary.py --combinations '[["vit", "mel", "3class"], ["lstm", "mel", "3class"]]'
--results results --table results/summary.tsv --page results/summary.html
"""

import argparse
import json

from eegwf.errors import run_script
from eegwf.report.summary import summarise


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--combinations", type=json.loads, required=True, help="model, spectrogram, class set; JSON")
    parser.add_argument("--results", required=True, help="output folder of the study")
    parser.add_argument("--table", required=True, help="the table, .tsv")
    parser.add_argument("--page", required=True, help="the page, .html")
    summarise(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_script(main)
