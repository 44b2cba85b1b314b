"""Write what the finished runs of a results folder took, as the figures that are shipped.

Example: python -m eegwf.plan.calibrate results/calibration calibration.json
"""

import argparse
import platform
from pathlib import Path

from eegwf.plan.costs import measured_rates
from eegwf.storage.files import write_json


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results folder")
    parser.add_argument("output", type=Path, help="file to write")
    arguments = parser.parse_args()
    found = measured_rates(arguments.results)
    write_json(
        arguments.output,
        {
            "device": f"cpu, {platform.machine()}",
            "start": {rule: _short(seconds) for rule, seconds in sorted(found.start.items())},
            "rate": {
                rule: {what: _short(rate) for what, rate in sorted(rates.items())}
                for rule, rates in sorted(found.rate.items())
            },
        },
    )


def _short(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    main()
