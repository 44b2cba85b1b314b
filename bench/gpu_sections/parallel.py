"""Concurrent trainings in threads and in processes.

As a command, this module is one of the processes: it trains when the file order.json in the folder requests it, and
writes its rate to a file.

Example: python -m bench.gpu_sections.parallel 0 FOLDER --device cpu --quick
"""

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from bench.gpu_sections.context import Context, batch_sizes
from bench.gpu_sections.graphs import MeasuredStep, captured_epoch
from bench.gpu_sections.processes import child_processes, tail
from bench.gpu_sections.timing import free_memory, rate, seconds_of
from bench.gpu_sections.trainings import LABELS, NOTEBOOK_VIT, Trainings, configure, set_batch_size
from eegwf.training.trainer import Trainer

ORDER, STOP = "order.json", "stop"
START_SECONDS = 100.0
"""Time within which all processes must be ready."""
LIFETIME = 200.0
"""Seconds after which a process ends without a stop file."""


def together(context: Context) -> None:
    """Measure trainings in 1, 2 and 4 threads, and in 1, 2, 4 and 8 processes with and without CUDA graphs."""
    for number in (1, 2, 4):
        with context.recorder.guard("together", f"{number} threads"):
            _threads(context, number)
        free_memory()
    context.release()  # the processes need the memory
    free_memory()
    with context.recorder.guard("together", "processes"):
        _processes(context, (1, 2) if context.quick else (1, 2, 4, 8))


def _threads(context: Context, number: int) -> None:
    """Windows per second of trainings in threads, each with a stream."""
    configure(context.device, "deterministic")
    size = context.batch_sizes[0]
    trainers = [context.trainings.trainer(NOTEBOOK_VIT, batch_size=size) for _ in range(number)]
    streams = [torch.cuda.Stream() if context.on_gpu else None for _ in trainers]

    def train_epoch(trainer: Trainer, stream: torch.cuda.Stream | None) -> None:
        with torch.cuda.stream(stream) if stream else contextlib.nullcontext():
            trainer.epoch([])

    with ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        speed = rate(
            lambda: list(pool.map(train_epoch, trainers, streams)), number * context.n_windows, context.seconds
        )
    context.recorder.put("together", {f"{number} threads": speed})
    context.recorder.line(f"  {number} thread(s), {LABELS['deterministic']}: {speed:.0f} windows/s in total")


def _processes(context: Context, counts: tuple[int, ...]) -> None:
    """Windows per second of trainings in processes, which start once and train for all counts."""
    options = ["--device", context.device, *(["--quick"] if context.quick else [])]
    with tempfile.TemporaryDirectory() as temporary, child_processes() as start:
        folder = Path(temporary)
        workers = [
            start("bench.gpu_sections.parallel", [str(number), temporary, *options], folder / f"log.{number}")
            for number in range(max(counts))
        ]
        try:
            context.recorder.put("together", {"ready_s": round(_wait_until_ready(folder, workers), 1)})
            seconds = 0.5 if context.quick else 3.0
            phase = 0
            for kind in ("eager", "graph") if context.on_gpu else ("eager",):
                for count in counts:
                    phase += 1
                    rates = _run_phase(folder, phase, count, kind, seconds)
                    total = round(sum(rates), 1)
                    context.recorder.put("together", {f"{count} processes, {kind}": total})
                    context.recorder.line(
                        f"  {count} process(es), {kind}, {LABELS['deterministic']}, batch {context.batch_sizes[0]}: "
                        f"{total:.0f} windows/s in total ({len(rates)} of {count} rates received)"
                    )
        finally:
            (folder / STOP).touch()
            deadline = time.monotonic() + 10
            for worker in workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(timeout=max(0.0, deadline - time.monotonic()))


def _wait_until_ready(folder: Path, workers: list[subprocess.Popen[bytes]]) -> float:
    """Wait for all processes; return the seconds that it took."""
    start = time.monotonic()
    while len(list(folder.glob("ready.*"))) < len(workers):
        failed = [number for number, worker in enumerate(workers) if worker.poll() is not None]
        if failed or time.monotonic() - start > START_SECONDS:
            raise RuntimeError(f"processes did not start: {tail(folder / f'log.{(failed or [0])[0]}')}")
        time.sleep(0.1)
    return time.monotonic() - start


def _run_phase(folder: Path, phase: int, count: int, kind: str, seconds: float) -> list[float]:
    """Let several processes train at the same time; return the windows per second of each."""
    begin = time.time() + 0.3
    order = {"phase": phase, "count": count, "kind": kind, "begin": begin, "end": begin + seconds}
    _write(folder / ORDER, order)
    while len(list(folder.glob(f"result.{phase}.*"))) < count and time.time() < begin + seconds + 20:
        time.sleep(0.05)
    return [json.loads(file.read_text()) for file in folder.glob(f"result.{phase}.*")]


def _write(path: Path, content: Any) -> None:
    """Write JSON so that readers see the whole file or none."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content))
    partial.replace(path)


def _work(arguments: argparse.Namespace) -> None:
    """Train on request until the stop file appears or the parent process has ended."""
    configure(arguments.device, "deterministic")
    n_windows = 32 if arguments.quick else 512
    size = batch_sizes(arguments.quick)[0]
    with contextlib.closing(Trainings(arguments.device, n_windows)) as trainings:
        trainer = trainings.trainer(NOTEBOOK_VIT)
        set_batch_size(trainer, size)
        calls: dict[str, tuple[Callable[[], object], int]] = {"eager": (lambda: trainer.epoch([]), n_windows)}
        if arguments.device == "cuda":
            calls["graph"] = captured_epoch(MeasuredStep(trainings.trainer(NOTEBOOK_VIT), size), n_windows)
        for call, _ in calls.values():
            seconds_of(call)
        parent, started, last_phase = os.getppid(), time.monotonic(), 0
        (arguments.folder / f"ready.{arguments.number}").touch()
        while not (arguments.folder / STOP).exists() and os.getppid() == parent:
            if time.monotonic() - started > LIFETIME:
                break
            if (arguments.folder / ORDER).exists():
                order = json.loads((arguments.folder / ORDER).read_text())
                if order["phase"] > last_phase:
                    last_phase = order["phase"]
                    if arguments.number < order["count"]:
                        speed = _train_until(*calls[order["kind"]], order["begin"], order["end"])
                        _write(arguments.folder / f"result.{last_phase}.{arguments.number}", speed)
            time.sleep(0.02)


def _train_until(call: Callable[[], object], count: int, begin: float, end: float) -> float:
    """Repeat a call between two times; return the windows per second."""
    time.sleep(max(0.0, begin - time.time()))
    start, n_windows = time.time(), 0
    while time.time() < end:
        seconds_of(call)
        n_windows += count
    return n_windows / (time.time() - start)


def main() -> None:
    """Read the arguments and work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", type=int, help="number of the process")
    parser.add_argument("folder", type=Path, help="folder shared by the processes")
    parser.add_argument("--device", default="cuda", help="cpu or cuda")
    parser.add_argument("--quick", action="store_true", help="few windows")
    _work(parser.parse_args())


if __name__ == "__main__":
    main()
