"""Failures of trials: errors that are due to their parameters, and trials whose workers were killed."""

from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from eegwf.training.memory_errors import lacks_memory
from eegwf.training.trainer import Diverged

# User attribute of a trial: reason of its failure.
REASON = "reason"
# User attribute of a trial: its progress at each resumption after a worker ended; emptied after a handled signal.
RESUMED_AT = "resumed_at"


def caused_by_parameters(error: Exception) -> bool:
    """Whether an error is due to the parameters: divergence, too little memory, or inconsistent values."""
    return isinstance(error, Diverged | ValueError) or lacks_memory(error)


def fail_trial(study: optuna.Study, trial: Trial, reason: str) -> None:
    """Set the state of a trial to failed.

    Parameters
    ----------
    study
        The Optuna study.
    trial
        The trial.
    reason
        Reason of the failure, one line.
    """
    trial.set_user_attr(REASON, reason)
    study.tell(trial, state=TrialState.FAIL)


def was_killed(trial: Trial) -> bool:
    """Whether the previous worker of a trial ended for an unknown reason, which may be the trial."""
    return bool(trial.user_attrs.get(RESUMED_AT))


def mark_stopped(folder: Path, number: int) -> None:
    """Record that the worker of a trial ended for a reason that is not the trial: a handled signal, or a full disk.

    Parameters
    ----------
    folder
        State folder of the Optuna study.
    number
        Number of the trial.
    """
    _stopped_file(folder, number).touch()


def has_killed_its_workers(trial: Trial, running: FrozenTrial, folder: Path, limit: int | None) -> bool:
    """Whether as many workers as the limit ended in the same epoch of a trial, one after the other.

    It is called once for each resumption of a trial, which it records.

    Parameters
    ----------
    trial
        Trial that is resumed.
    running
        Its values.
    folder
        State folder of the Optuna study.
    limit
        Number of workers, None for no limit.

    Returns
    -------
    bool
        Whether the trial is taken to be the cause, for example because it needs more memory than the host has.
    """
    stopped = _stopped_file(folder, running.number)
    if stopped.exists():
        stopped.unlink()
        trial.set_user_attr(RESUMED_AT, [])
        return False
    # Epochs that are trained again after a kill are not reported, but their checkpoints are written.
    checkpoints = [path.stat().st_mtime_ns for path in folder.glob(f"trial{running.number}.*.safetensors")]
    progress = f"{len(running.intermediate_values)} epochs, checkpoint {max(checkpoints, default=0)}"
    resumed_at = [*running.user_attrs.get(RESUMED_AT, []), progress]
    trial.set_user_attr(RESUMED_AT, resumed_at)
    return limit is not None and len(resumed_at) >= limit and len(set(resumed_at[-limit:])) == 1


def _stopped_file(folder: Path, number: int) -> Path:
    return folder / f"trial{number}.stopped"
