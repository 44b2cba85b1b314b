"""Configuration of the data set, the signals, the windows and the folds."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from eegwf.config.section import Section

LEAVE_ONE_OUT = "leave-one-patient-out"
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]


class Synthetic(Section):
    """A data set that the workflow generates: seeded, documented, with the truth beside it."""

    kind: Literal["synthetic"] = Field(description="The data set is generated.")
    n_focal: int = Field(11, ge=0, description="Patients with focal seizures only.")
    n_generalized: int = Field(11, ge=0, description="Patients with generalized seizures only.")
    n_both: int = Field(2, ge=0, description="Patients with both kinds of seizure.")
    n_none: int = Field(4, ge=0, description="Patients without seizures.")
    minutes: float = Field(4.0, gt=0.5, le=600, description="Length of each recording in minutes.")
    seizures: int = Field(3, ge=1, description="Seizures in a recording of a patient who has any.")
    seed: int = Field(7, ge=0, description="Seed of the generator.")
    event_types: list[str] = Field(["bckg", "sz"], description="Event types the annotations may hold.")
    unannotated: str = Field("bckg", description="Event type of time that no event covers.")


class Bids(Section):
    """A BIDS-EEG data set of EDF/EDF+ or BrainVision files with `_events.tsv`."""

    kind: Literal["bids"] = Field(description="The data set is a BIDS folder.")
    root: str = Field(description="Folder that holds `sub-*`; relative paths start where Snakemake runs.")
    event_types: list[str] = Field(
        ["bckg", "sz", "impd"],
        description="Event types the annotations may hold, SzCORE-hierarchical: `sz` admits `sz_foc_ia`. "
        "Any other is an error.",
    )
    unannotated: str | None = Field(
        "bckg", description="Event type of time that no event covers; null: such windows are borderline."
    )
    ignored_events: list[str] = Field([], description="Event types to skip as if they were not written.")


class ArrayFiles(Section):
    """File patterns of one spectrogram in the per-fold layout of the earlier notebooks."""

    data: str = Field(description="Pattern with `{fold}` of the arrays.")
    labels: str = Field(description="Pattern with `{fold}` of the integer labels.")
    patients: str = Field(description="Pattern with `{fold}` of the patient of each window.")

    @field_validator("data", "labels", "patients")
    @classmethod
    def _has_fold(cls, value: str) -> str:
        if "{fold}" not in value:
            raise ValueError("must hold {fold}, the place of the fold's number")
        return value


class FoldArrays(Section):
    """Arrays already cut into folds, as the earlier notebooks kept them; the folds are kept."""

    kind: Literal["fold_arrays"] = Field(description="The data set is arrays, cut into folds.")
    arrays: dict[Literal["mel", "stft", "cwt"], ArrayFiles] = Field(description="File patterns per spectrogram.")
    n_folds: int = Field(5, ge=3, description="Number of folds, numbered from 1.")
    axes: str = Field(
        "n f t c",
        description="Order of the arrays' axes: n windows, f frequencies, t times, c channels. `n h w 3` for pictures.",
    )
    label_names: dict[int, str] = Field(description="Event type of each integer label.")
    sfreq: float = Field(256.0, gt=0, description="Sampling rate behind the arrays, in Hz.")
    window_length: float = Field(20.0, gt=0, description="Length of a window in seconds.")
    f_min: float = Field(0.0, ge=0, description="Lowest frequency of the arrays, in Hz.")
    f_max: float = Field(128.0, gt=0, description="Highest frequency of the arrays, in Hz.")

    @property
    def event_types(self) -> list[str]:
        """Event types the labels stand for."""
        return sorted(set(self.label_names.values()))

    @field_validator("axes")
    @classmethod
    def _known_axes(cls, value: str) -> str:
        if value != "n h w 3" and sorted(value.split()) != ["c", "f", "n", "t"]:
            raise ValueError("must be the letters n f t c in the arrays' order, or 'n h w 3' for pictures")
        return value


Dataset = Annotated[Synthetic | Bids | FoldArrays, Field(discriminator="kind")]


class Signals(Section):
    """How recordings become signals: montage, filters, sampling rate, and what to do with bad ones."""

    montage: Literal["tcp20", "tcp22", "banana18", "average", "as recorded"] = Field(
        "tcp20",
        description="Derivations: the 20 TCP pairs without the ears, all 22, the 18 of the double banana, "
        "19 electrodes against their average, or the channels as they are.",
    )
    missing: Literal["error", "interpolate", "exclude"] = Field(
        "error",
        description="A missing electrode or derivation: an error, interpolated from its neighbours, or the "
        "derivation left out of the study (of every recording).",
    )
    flat: Literal["keep", "interpolate", "exclude"] = Field(
        "keep", description="A channel that never changes: kept, interpolated, or its recording left out."
    )
    sfreq: float | Literal["as recorded"] = Field(256.0, description="Sampling rate in Hz after resampling.")
    l_freq: float | None = Field(0.5, ge=0, description="High-pass edge in Hz; null for none.")
    h_freq: float | None = Field(None, gt=0, description="Low-pass edge in Hz; null for none.")
    notch: list[float] = Field([], description="Line frequencies to remove, in Hz.")
    on_bad_recording: Literal["stop", "exclude"] = Field(
        "stop", description="A recording that can't be read: stop, or leave it out and list it."
    )

    @field_validator("sfreq")
    @classmethod
    def _positive(cls, value):
        if not isinstance(value, str) and value <= 0:
            raise ValueError("must be above 0 Hz, or 'as recorded'")
        return value

    @model_validator(mode="after")
    def _filters_in_range(self):
        if self.l_freq is not None and self.h_freq is not None and self.l_freq >= self.h_freq:
            raise ValueError(f"l_freq {self.l_freq} Hz is not below h_freq {self.h_freq} Hz")
        if not isinstance(self.sfreq, str):
            for name, value in [("h_freq", self.h_freq), *(("notch", value) for value in self.notch)]:
                if value is not None and value >= self.sfreq / 2:
                    raise ValueError(f"{name} {value} Hz is not below half of sfreq {self.sfreq} Hz")
        return self


class Windows(Section):
    """How signals are cut into labelled windows."""

    length: float = Field(5.0, gt=0, description="Length of a window in seconds.")
    step: float = Field(5.0, gt=0, description="Seconds from one onset to the next.")
    share: float = Field(
        0.5, gt=0, le=1, description="An event type that covers at least this share of a window labels it."
    )
    guard: float = Field(0.0, ge=0, description="Seconds around a seizure that are neither background nor seizure.")
    borderline: Literal["keep", "drop"] = Field(
        "keep", description="Windows without a clear label: predicted but not scored, or left out."
    )


ClassSet = dict[Name, list[str]]
