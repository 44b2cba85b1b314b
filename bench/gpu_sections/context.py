"""Options of a run of the GPU benchmark, and the objects that its sections share."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.gpu_sections.recording import Recorder

if TYPE_CHECKING:
    from bench.gpu_sections.trainings import Trainings


def batch_sizes(quick: bool) -> tuple[int, ...]:
    """Batch sizes that are measured."""
    return (8, 16) if quick else (32, 128, 512)


@dataclass
class Context:
    """Options of a run, its recorder and its windows.

    Parameters
    ----------
    device
        `cpu` or `cuda`.
    quick
        Whether to use tiny sizes, whose figures are meaningless.
    recorder
        Writer of the figures.
    notebook_text
        Markdown file with the code of the published notebooks; None if it is not measured.
    """

    device: str
    quick: bool
    recorder: Recorder
    notebook_text: Path | None = None
    _opened: bool = field(default=False, init=False, repr=False)

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU is measured."""
        return self.device == "cuda"

    @property
    def n_windows(self) -> int:
        """Number of windows of an epoch."""
        return 48 if self.quick else 2048

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """Batch sizes that are measured."""
        return batch_sizes(self.quick)

    @property
    def seconds(self) -> float:
        """Duration of a timing."""
        return 0.05 if self.quick else 0.5

    @cached_property
    def trainings(self) -> "Trainings":
        """Windows and trainings, made at the first use.

        They are imported here, so that an import error in eegwf ends only the sections that need it.
        """
        from bench.gpu_sections.trainings import Trainings

        self._opened = True
        return Trainings(self.device, self.n_windows)

    def skip_without_gpu(self, section: str) -> bool:
        """Record that a section needs a GPU, and return True, if none is measured."""
        if not self.on_gpu:
            self.recorder.put(section, {"skipped": "needs a GPU"})
            self.recorder.line("  skipped, it needs a GPU")
        return not self.on_gpu

    def release(self) -> None:
        """Free the windows on the device."""
        if self._opened:
            self.trainings.release()

    def close(self) -> None:
        """Remove the temporary files."""
        if self._opened:
            self.trainings.close()
