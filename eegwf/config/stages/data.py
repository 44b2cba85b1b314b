"""Settings of the stages that make windows, spectrograms' inputs and folds."""

from typing import Any, Literal

from pydantic import Field

from eegwf.config.channels import Channels
from eegwf.config.data import Bids, Files, FoldArrays, Signals, Synthetic
from eegwf.config.stages.base import StageSettings
from eegwf.config.windows import Windows


class SynthesizeSettings(StageSettings):
    """Settings of `synthesize`."""

    dataset: Synthetic


class WindowsSettings(StageSettings):
    """Settings of `windows`."""

    dataset: Synthetic | Bids | Files = Field(discriminator="kind")
    signals: Signals
    windows: Windows
    patients: dict[str, str]
    channels: Channels = Channels()


class ImportTablesSettings(StageSettings):
    """Settings of `import_tables`."""

    dataset: FoldArrays
    patients: dict[str, str]


class ImportSpectrogramSettings(StageSettings):
    """Settings of `import_spectrogram`."""

    dataset: FoldArrays


class FoldsSettings(StageSettings):
    """Settings of `folds`.

    Attributes
    ----------
    folds
        Number of folds, `leave-one-patient-out`, or the path of a table.
    n_folds
        Number of folds that the workflow has planned.
    reserved, n_inner_folds
        Fraction of the patients that is reserved for tuning, and the number of folds among them; None if no patients
        are reserved.
    max_similarity
        Similarity above which two recordings are taken for copies; None for the default.
    """

    folds: int | str
    n_folds: int
    seed: int
    reserved: float | None = None
    n_inner_folds: int | None = None
    max_similarity: float | None = None


class InitializeSettings(StageSettings):
    """Settings of `initialize`.

    Attributes
    ----------
    init
        Source of the initial weights.
    init_same_ids
        Whether an id that patients of the study and of the source both have is the same person.
    max_similarity
        Similarity above which two recordings are taken for copies; None for the default.
    samples
        Settings that decide the samples of a window (`eegwf.config.sample_settings`).
    """

    init: str | None
    init_same_ids: Literal["one_person", "different_persons"]
    max_similarity: float | None
    samples: dict[str, Any]
