"""Compute the rates that are shipped with the library from the finished runs in a results folder.

Example: python -m bench.calibration results/calibration eegwf/plan/calibration.json
"""

import argparse
import platform
from pathlib import Path

from eegwf.dag.stages import STAGES
from eegwf.plan.costs import measured_rates
from eegwf.storage.files import write_json


def main() -> None:
    """Read the arguments, collect the rates and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results folder with finished runs")
    parser.add_argument("output", type=Path, help="file to write")
    arguments = parser.parse_args()
    rates = measured_rates(arguments.results, STAGES)
    write_json(
        arguments.output,
        {
            "device": f"cpu, {platform.machine()}",
            "start": {stage: _rounded(seconds) for stage, seconds in sorted(rates.start.items())},
            "rate": {
                stage: {key: _rounded(rate) for key, rate in sorted(rates_of_stage.items())}
                for stage, rates_of_stage in sorted(rates.rate.items())
            },
        },
    )


def _rounded(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")


if __name__ == "__main__":
    main()
