"""Run the benchmarks and write docs/benchmarks.json and docs/benchmarks.md.

Example: python -m bench --rounds 9 --hours 20
         python -m bench --only training
"""

import argparse
from pathlib import Path

from bench import training
from bench.figures import DOCS, machine, read_figures, write_figures


def main() -> None:
    """Read the arguments, measure, write the figures and the page."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each comparison")
    parser.add_argument("--hours", type=float, default=20.0, help="hours of recordings written to disk as spectrograms")
    parser.add_argument("--windows", type=int, help="windows of an epoch of training, a multiple of 96")
    parser.add_argument("--only", choices=("spectrograms", "training"), help="measure this part alone")
    parser.add_argument("--folder", type=Path, default=DOCS, help="folder of benchmarks.json and benchmarks.md")
    arguments = parser.parse_args()
    figures = read_figures(arguments.folder)
    if arguments.only != "training":
        from bench import spectrograms  # it needs the libraries that eegwf is compared with

        figures["machine"] = machine("spectrograms")
        figures["spectrograms"] = spectrograms.measure_all(
            figures["machine"]["cores"], arguments.rounds, arguments.hours
        )
    if arguments.only != "spectrograms":
        about = machine("training")
        figures["training"] = {"machine": about} | training.measure_all(
            about["cores"], arguments.rounds, arguments.windows
        )
    write_figures(arguments.folder, figures)


if __name__ == "__main__":
    main()
