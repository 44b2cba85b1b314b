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
            Called with the history after each epoch that this process trains.
        """
        started, n_epochs = time.monotonic(), 0

        def log_epoch(history: History) -> None:
            nonlocal n_epochs
            now, n_epochs = time.monotonic(), n_epochs + 1
            if now - self._last_logged < self.interval and len(history) < max_epochs:
                return
            self._last_logged = now
            last, elapsed = history[-1], max(now - started, 1e-9)
            left = int((max_epochs - len(history)) * elapsed / n_epochs)
            best = max(record["balanced_accuracy"] for record in history)
            self.log(
                f"{title}, epoch {last['epoch']} of at most {max_epochs}, loss {last['train_loss']:.3f}, validation "
                f"balanced accuracy {last['balanced_accuracy']:.3f} (best {best:.3f}), "
                f"{n_windows * n_epochs / elapsed:.0f} windows/s, {left // 60}:{left % 60:02d} left"
            )

        return log_epoch

    def log(self, message: str) -> None:
        """Log a message now."""
        logger.info("%s: %s", self.name, message)
