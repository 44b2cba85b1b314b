"""Settings on which the windows of a data set depend."""

from dataclasses import dataclass, field
from pathlib import Path

from eegwf.config.channels import Channels
from eegwf.config.data import Annotations, RecordedDataset, Signals, Synthetic, Windows
from eegwf.config.file_layout import FileLayout


@dataclass(frozen=True)
class ReadingSettings:
    """Settings on which the windows of a data set depend.

    Attributes
    ----------
    root
        Root of the data set.
    dataset
        Event types, and the event type of time without an event.
    signals
        Montage, filters, sampling rate, and the treatment of bad recordings.
    windows
        Length and step of the windows, and the rules for their labels.
    patients
        Name of the patient for each id that is a second identifier of the same person.
    channels
        Names of channels that are not those of the 10-20 system.
    """

    root: Path
    dataset: RecordedDataset | Synthetic
    signals: Signals
    windows: Windows
    patients: dict[str, str]
    channels: Channels = field(default_factory=Channels)

    @property
    def annotations(self) -> Annotations | None:
        """Format and place of the annotations; None for tables of events beside the recordings."""
        return self.dataset.annotations if isinstance(self.dataset, RecordedDataset) else None

    @property
    def layout(self) -> FileLayout | None:
        """Places of the recordings; None for those of BIDS."""
        return self.dataset.layout if isinstance(self.dataset, RecordedDataset) else None

    @property
    def exclude(self) -> list[str]:
        """Ids of patients who are not read."""
        return self.dataset.exclude if isinstance(self.dataset, RecordedDataset) else []
