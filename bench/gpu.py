"""Check and measure the GPU code: agreement with the CPU, reproducibility, speed and memory.

Example: python -m bench.gpu --output gpu
         python -m bench.gpu --only speed,graphs --seconds 180
         python -m bench.gpu --cpu --quick

The second line runs two sections; the third one tries all sections on the CPU with tiny sizes. The output folder is
that of --output, else $OUT, else the current folder: gpu.json contains every figure, gpu.txt the report with a line for
each figure, profile.txt the tables of the profiler. Rates are synchronized windows per second. Each section has its own
time limit, and an error in a section does not end the others; gpu.json is rewritten after every figure.
"""

import argparse
import contextlib
import importlib
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

STARTED = time.monotonic()
CPU_FACTOR = 4
"""Factor of the time limits on a CPU."""


@dataclass(frozen=True)
class Section:
    """A section of the benchmark.

    Attributes
    ----------
    name
        Name for `--only` and in gpu.json.
    function
        Module of `bench.gpu_sections` and function, separated by a dot. The module is imported when the section
        starts, so that an import error ends only this section.
    seconds
        Time limit on a GPU.
    description
        What the section measures.
    """

    name: str
    function: str
    seconds: float
    description: str


# By importance: when the time is used up, the last sections are skipped.
SECTIONS = (
    Section("versions", "machine.versions", 30, "versions of the software, GPU, commit"),
    Section("ceilings", "machine.ceilings", 20, "maximum rates: copy, matrix products, kernel launches, transfers"),
    Section("exact", "exactness.exact", 50, "logits and gradients of every model compared with the CPU"),
    Section("speed", "speed.speed", 100, "training and prediction of every model, by determinism and batch size"),
    Section("loops", "loops.loops", 40, "handwritten training loops"),
    Section("graphs", "graphs.graphs", 60, "training step as a CUDA graph: same bytes, speed, concurrent trainings"),
    Section("concurrent", "concurrent.concurrent", 50, "concurrent trainings in one process: same bytes, throughput"),
    Section("repeat", "repeatability.repeat", 45, "bytes of two trainings from one random seed"),
    Section("resume", "resume.resume", 75, "bytes of a killed and resumed training"),
    Section("syncs", "synchronizations.syncs", 25, "synchronizations of a step, an epoch and a validation"),
    Section("profile", "profiling.profile", 25, "kernels of a step, and the time that the GPU is busy"),
    Section("spectrograms", "spectrograms.spectrograms", 45, "accuracy and speed of the spectrograms"),
    Section("together", "parallel.together", 85, "concurrent trainings in threads and processes"),
    Section("packed", "packing.packed", 35, "several networks trained as one by torch.func"),
    Section("search", "search.search", 30, "overhead of the trials of a hyperparameter search"),
    Section("tests", "project_tests.tests", 60, "tests of the project that need a GPU"),
    Section("largest", "memory.largest", 25, "speed and memory of the largest ViT of config/full.yaml"),
    Section("compiled", "compile.compiled", 110, "torch.compile, alone and within a CUDA graph"),
)


def section_names(text: str) -> list[str]:
    """Parse a comma-separated list of sections.

    Raises
    ------
    argparse.ArgumentTypeError
        If there is no such section.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [section.name for section in SECTIONS]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no section {name!r}; the sections are {', '.join(known)}")
    return names


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command-line arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cpu", action="store_true", help="run on the CPU; sections that need a GPU are skipped")
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, whose figures are meaningless")
    parser.add_argument("--seconds", type=float, default=460, help="time limit of the whole run (default: 460)")
    parser.add_argument("--only", type=section_names, metavar="A,B", help="run these sections, in this order")
    parser.add_argument("--list", action="store_true", help="list the sections with their time limits, and exit")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="output folder (default: $OUT or .)")
    parser.add_argument(
        "--notebook-text",
        type=Path,
        metavar="FILE",
        help="Markdown file with the code of the published notebooks, whose class ViT is measured in loops",
    )
    return parser.parse_args(arguments)


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen sections."""
    # cuBLAS reads this variable when it starts; nondeterministic variants are therefore measured with it, too.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    import torch

    from bench.gpu_sections.context import Context
    from bench.gpu_sections.recording import Deadline, Recorder, run_section
    from bench.gpu_sections.timing import free_memory

    warnings.filterwarnings("ignore")
    recorder = Recorder(arguments.output or Path(os.environ.get("OUT") or "."))
    if not arguments.cpu and not torch.cuda.is_available():
        recorder.line("torch finds no GPU; use --cpu to try the sections on the CPU")
        sys.exit(3)
    context = Context("cpu" if arguments.cpu else "cuda", arguments.quick, recorder, arguments.notebook_text)
    deadline = Deadline(arguments.seconds, STARTED)
    by_name = {section.name: section for section in SECTIONS}
    try:
        for name in arguments.only or list(by_name):
            section = by_name[name]

            def call(section: Section = section) -> None:
                module, function = section.function.split(".")
                getattr(importlib.import_module(f"bench.gpu_sections.{module}"), function)(context)

            seconds = section.seconds * (CPU_FACTOR if arguments.cpu else 1)
            run_section(name, call, seconds, recorder, deadline, section.description)
            with contextlib.suppress(Exception):
                free_memory()
    finally:
        context.close()
    recorder.put("total", {"seconds": round(deadline.elapsed, 1)})
    recorder.line(f"total: {deadline.elapsed:.0f} s")


def main() -> None:
    """Read the arguments, then list or run the sections."""
    arguments = parse()
    if arguments.list:
        for section in SECTIONS:
            print(f"{section.name:14s}{section.seconds:4.0f} s  {section.description}")
    else:
        run(arguments)


if __name__ == "__main__":
    main()
