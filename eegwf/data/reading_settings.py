"""Settings on which the windows of a data set depend."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eegwf.config.channels import Channels
from eegwf.config.data import Annotations, RecordedDataset, Signals, Synthetic
from eegwf.config.file_layout import FileLayout
from eegwf.config.windows import Windows


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
    derivations
        Derivations that every recording must have, those of the study that has trained the models; None if the
        recordings and the montage determine them.
    """

    root: Path
    dataset: RecordedDataset | Synthetic
    signals: Signals
    windows: Windows
    patients: dict[str, str]
    channels: Channels = field(default_factory=Channels)
    derivations: Sequence[str] | None = None

    def as_study(self, derivations: Sequence[str], sfreq: float) -> "ReadingSettings":
        """Settings that give windows with the shape of those of a study.

        Parameters
        ----------
        derivations
            Channels of the study's windows.
        sfreq
            Their sampling rate in Hz.

        Returns
        -------
        ReadingSettings
            These settings, with the same derivations and rate.
        """
        signals = self.signals.model_copy(update={"sfreq": sfreq})
        return replace(self, signals=signals, derivations=list(derivations))

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
