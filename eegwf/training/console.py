"""Progress of trainings as log messages: at most one per second, and one for the last epoch."""

import logging
import time

from eegwf.training.history import EpochCallback, History

logger = logging.getLogger(__name__)

LOG_INTERVAL = 1.0


class Console:
    """Log messages of a job that trains.

    Parameters
    ----------
    name
        First word of each message, such as `vit_mel_3class_fold1`.
    interval
        Minimum number of seconds between two messages about epochs.
    """

    def __init__(self, name: str, interval: float = LOG_INTERVAL):
        self.name, self.interval = name, interval
        self._last_logged = -float("inf")

    def training(self, title: str, max_epochs: int, n_windows: int) -> EpochCallback:
        """Start to log a training.

        Parameters
        ----------
        title
            Name of the training within the job.
        max_epochs
            Maximum number of epochs.
        n_windows
            Number of training windows of an epoch. The time of an epoch includes its validation.

        Returns
        -------
        Callable
            Called with the history after each epoch that this process trains, and with that of the pretraining after
            each of its epochs, whose speed and time left are its own.
        """
        started, n_epochs = time.monotonic(), 0

        def log_epoch(history: History) -> None:
            nonlocal started, n_epochs
            now, n_epochs, last = time.monotonic(), n_epochs + 1, history[-1]
            n_left = last.get("n_epochs", max_epochs) - len(history)
            if now - self._last_logged >= self.interval or n_left <= 0:
                self._last_logged, elapsed = now, max(now - started, 1e-9)
                rate, left = n_epochs * last.get("windows", n_windows) / elapsed, int(n_left * elapsed / n_epochs)
                self.log(
                    f"{title}, {_progress(history, max_epochs)}, {rate:.0f} windows/s, "
                    f"{left // 60}:{left % 60:02d} left"
                )
            if "contrastive_loss" in last and n_left <= 0:
                started, n_epochs = now, 0

        return log_epoch

    def log(self, message: str) -> None:
        """Log a message now."""
        logger.info("%s: %s", self.name, message)


def _progress(history: History, max_epochs: int) -> str:
    """Number of the last epoch, and its loss and score."""
    last = history[-1]
    if "contrastive_loss" in last:
        loss = f"contrastive loss {last['contrastive_loss']:.3f}"
        return f"pretraining epoch {last['epoch']} of {last['n_epochs']}, {loss}"
    best = max(record["balanced_accuracy"] for record in history)
    return (
        f"epoch {last['epoch']} of at most {max_epochs}, loss {last['train_loss']:.3f}, validation balanced accuracy "
        f"{last['balanced_accuracy']:.3f} (best {best:.3f})"
    )
