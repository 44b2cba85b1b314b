"""Configuration of the windows."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section


class Windows(Section):
    """How signals are cut into labeled windows."""

    length: float = Field(5.0, gt=0, description="Length of a window in seconds.")
    step: float = Field(5.0, gt=0, description="Seconds between the onsets of consecutive windows.")
    context: float = Field(
        0.0,
        ge=0,
        description="Seconds of signal before and after each window that the models see besides it. Onset, duration "
        "and label remain those of the window. At the ends of a recording and at gaps, the signal is reflected.",
    )
    min_overlap: float = Field(
        0.5, gt=0, le=1, description="Minimum fraction of a window that an event type must cover to label it."
    )
    min_event_overlap: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Minimum fraction of an event that a window must contain to have its event type although less than "
        "`min_overlap` of the window is covered, for seizures shorter than a window; null: no such windows.",
    )
    guard: float = Field(0.0, ge=0, description="Seconds around a seizure in which no window is labeled as background.")
    borderline: Literal["keep", "drop"] = Field(
        "keep", description="Windows without a clear label: `keep`, predicted but not scored, or `drop`."
    )

    def n_times(self, sfreq: float) -> int:
        """Samples of a window at a sampling rate in Hz, without its context."""
        return round(self.length * sfreq)

    def n_context(self, sfreq: float) -> int:
        """Samples of context before a window, and after it."""
        return round(self.context * sfreq)

    def n_stored(self, sfreq: float) -> int:
        """Samples of a window with its context."""
        return self.n_times(sfreq) + 2 * self.n_context(sfreq)

    def n_step(self, sfreq: float) -> int:
        """Samples from the first sample of a window to that of the next."""
        return max(round(self.step * sfreq), 1)
