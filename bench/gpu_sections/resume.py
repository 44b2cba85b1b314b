"""Comparison of a killed and resumed training with an uninterrupted one.

As a command, this module runs one of the trainings, which may kill itself in the middle of an epoch.

Example: python -m bench.gpu_sections.resume vit FOLDER --device cpu --quick
"""

import argparse
import hashlib
import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.gpu_sections.context import Context
from bench.gpu_sections.processes import child_processes, tail
from bench.gpu_sections.timing import digest
from bench.gpu_sections.trainings import configure
from bench.study import split, study
from eegwf.config.training import Training
from eegwf.training.loop import train

MODELS: dict[str, dict[str, Any]] = {"vit": {}, "lstm": {"layers": 2, "dropout": 0.3}}
N_EPOCHS, KILL_AFTER = 6, 3
KILL_FRACTION = 0.4  # of an epoch
RESULT = "result.json"
WAIT_SECONDS = 150


def resume(context: Context) -> None:
    """Kill trainings by SIGKILL within an epoch, resume them, and compare the bytes with uninterrupted trainings."""
    options = ["--device", context.device, *(["--quick"] if context.quick else [])]
    with tempfile.TemporaryDirectory() as temporary, child_processes() as start:
        folders = {(model, kill): Path(temporary) / f"{model}{kill}" for model in MODELS for kill in (0, KILL_AFTER)}

        def launch(model: str, kill: int, kill_after: int) -> Any:
            folder = folders[model, kill]
            folder.mkdir(exist_ok=True)
            arguments = [model, str(folder), "--kill-after", str(kill_after), "--started", str(time.time()), *options]
            return start("bench.gpu_sections.resume", arguments, folder / "log")

        running = {key: launch(*key, key[1]) for key in folders}
        for (model, kill), process in running.items():
            process.wait(timeout=WAIT_SECONDS)
            if not kill and process.returncode:
                raise RuntimeError(f"{model}: {tail(folders[model, kill] / 'log')}")
        resumed = {model: launch(model, KILL_AFTER, 0) for model in MODELS}
        for model, process in resumed.items():
            process.wait(timeout=WAIT_SECONDS)
            if process.returncode:
                raise RuntimeError(f"{model}, resumed: {tail(folders[model, KILL_AFTER] / 'log')}")
            results = [json.loads((folders[model, kill] / RESULT).read_text()) for kill in (0, KILL_AFTER)]
            _report(context, model, running[model, KILL_AFTER].returncode, *results)


def _report(
    context: Context, model: str, returncode: int, uninterrupted: dict[str, Any], resumed: dict[str, Any]
) -> None:
    same = uninterrupted["digest"] == resumed["digest"]
    figures = {
        "same": same,
        "returncode_of_killed": returncode,
        "epochs_after_resuming": resumed["epochs"],
        "times": uninterrupted["times"],
    }
    context.recorder.put("resume", {model: figures})
    context.recorder.line(
        f"  {model}: killed (return code {returncode}), trained {resumed['epochs']} of {uninterrupted['epochs']} "
        f"epochs after resuming: {'same bytes' if same else 'DIFFERENT BYTES'}; seconds of a new process: "
        f"{uninterrupted['times']}"
    )


class KillTimer:
    """Counts and times the trained epochs, and kills this process within an epoch.

    Parameters
    ----------
    kill_after
        Number of epochs after which the process is killed; 0 to keep it alive.
    """

    def __init__(self, kill_after: int):
        self.kill_after = kill_after
        self.epochs: list[float] = []
        self._last = time.time()

    def __call__(self, history: list[dict[str, Any]]) -> None:
        """Note the end of an epoch."""
        now = time.time()
        self.epochs.append(now - self._last)
        self._last = now
        if self.kill_after and len(history) == self.kill_after:
            kill = threading.Timer(KILL_FRACTION * self.epochs[-1], os.kill, (os.getpid(), signal.SIGKILL))
            kill.start()


def _train(arguments: argparse.Namespace) -> None:
    """Train a model with checkpoints, and write the digest of its weights and history."""
    times = {"start": round(time.time() - arguments.started, 2)}
    configure(arguments.device, "deterministic")
    n_windows = 32 if arguments.quick else 256
    settings = Training(
        epochs=N_EPOCHS, patience=N_EPOCHS, batch_size=16, mixup_alpha=0.3, freq_mask=0.1, time_shift=0.1, ema_decay=0.9
    )
    with study(n_windows) as datasets:
        timer = KillTimer(arguments.kill_after)
        trained = train(
            arguments.model,
            datasets["mel"],
            split(n_windows),
            MODELS[arguments.model],
            settings,
            seed=1,
            device=arguments.device,
            checkpoint=arguments.folder / "checkpoint.safetensors",
            on_trained_epoch=timer,
        )
    times |= {"first_epoch": round(timer.epochs[0], 2), "later_epoch": round(timer.epochs[-1], 3)}
    weights = digest(value for _, value in sorted(trained.classifier.state_dict().items()))
    history = json.dumps(trained.history, sort_keys=True)
    result = {
        "digest": hashlib.sha256((weights + history).encode()).hexdigest()[:16],
        "epochs": len(timer.epochs),
        "times": times,
    }
    (arguments.folder / RESULT).write_text(json.dumps(result))


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(MODELS), help="model to train")
    parser.add_argument("folder", type=Path, help="folder of the checkpoint and the result")
    parser.add_argument("--device", default="cuda", help="cpu or cuda")
    parser.add_argument("--quick", action="store_true", help="few windows")
    parser.add_argument("--kill-after", type=int, default=0, help="kill this process in the epoch after this one")
    parser.add_argument("--started", type=float, default=time.time(), help="time of the start, in seconds of the epoch")
    _train(parser.parse_args())


if __name__ == "__main__":
    main()
