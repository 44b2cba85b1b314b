"""Measure the peak memory of one contender, beyond that of its libraries, in MiB.

Example: python -m bench.memory spectrograms "eegwf cwt"
         python -m bench.memory training vit
"""

import argparse
from contextlib import ExitStack

from bench.process_memory import resident
from bench.timing import threads


def main() -> None:
    """Call the contender twice and print the memory that it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["spectrograms", "training"], help="part of the benchmarks")
    parser.add_argument("name", help="name of the contender or model, as in benchmarks.json")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(threads(1))
        # Only the libraries of the measured part are imported, since all that is imported counts as memory.
        if arguments.part == "training":
            from bench.training import isolated_training

            call = stack.enter_context(isolated_training(arguments.name))
        else:
            from bench.spectrograms import contenders
            from bench.transforms import noise_windows

            call = contenders(noise_windows(1))[arguments.name]
        before = resident("VmRSS")
        call()
        call()
    print(max(0.0, resident("VmHWM") - before))


if __name__ == "__main__":
    main()
