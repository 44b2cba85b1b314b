"""Configuration of the data set, the signals, the windows and the folds."""

from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from eegwf.config.file_layout import FileLayout, IdPattern, PathPatterns
from eegwf.config.patients import normalize_id
from eegwf.config.section import Section
from eegwf.config.synthetic import Synthetic

LEAVE_ONE_OUT = "leave-one-patient-out"
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]


class Annotations(Section):
    """Form and place of the annotations of a data set."""

    format: Literal["events", "tusz", "tse", "chbmit", "siena", "helsinki", "edf", "hed"] = Field(
        description="`events`, tables `_events.tsv`; `tusz`, `.csv_bi` and `.csv` of the TUH EEG Seizure Corpus; "
        "`tse`, its older `.tse` and `.tse_bi`; `chbmit`, the summaries of CHB-MIT; `siena`, the lists of seizures "
        "of Siena; `helsinki`, the values of three experts for each second; `edf`, the annotations in EDF+ and BDF+ "
        "files; `hed`, HED-SCORE tags in `_events.tsv` or `_events.json`."
    )
    file: str | None = Field(
        None,
        description="File of the annotations of a recording, relative to the recording's folder, such as "
        '`"{target}.csv_bi"`: with `{stem}`, the name of the recording without suffix; `{recording}`, without `_eeg` '
        "too; `{patient}`; and, of the file to which the recording is a link, `{target}`, its path without suffix, and "
        "`{folder}`, its folder. `*` stands for any text in the name of a single file. null: the default of the "
        "format.",
    )

    @model_validator(mode="after")
    def _known_fields(self):
        if self.file is None:
            return self
        if self.format == "edf":
            raise ValueError("file must be null with the format edf, whose annotations are in the recordings")
        try:
            parts = list(Formatter().parse(self.file))
        except ValueError as error:
            raise ValueError(f"file {self.file!r} has a brace without its partner ({error})") from None
        known = ("stem", "recording", "patient", "folder", "target")
        for _, name, spec, conversion in parts:
            if name is not None and (name not in known or spec or conversion):
                fields = ", ".join(f"{{{field}}}" for field in known)
                raise ValueError(f"file {self.file!r} has the field {{{name}}}; known are {fields}")
        return self


class RecordedDataset(Section):
    """A data set of recordings in files."""

    kind: str = Field(description="Kind of the data set.")
    root: str = Field(description="Folder of the data set; relative to the folder in which Snakemake runs.")
    exclude: list[str] = Field(
        [],
        description="Patients who are not read and are in no fold, by their ids before `patients` is applied, such as "
        "`[sub-05]`.",
    )
    annotations: Annotations | None = Field(
        None, description="Form and place of the annotations; null: `_events.tsv` beside each recording."
    )
    event_map: dict[str, str | None] = Field(
        {},
        description="Event type of labels of the annotations (whole labels, upper or lower case): `{fnsz: sz_foc}`; "
        "null ignores the label; `'*'` stands for labels that have no entry and are no event type. The formats `tusz`, "
        "`tse` and `hed` have a map, to which these entries are added.",
    )
    event_types: list[str] = Field(
        ["bckg", "sz", "impd"],
        description="Event types that annotations may have, hierarchical as in SzCORE: `sz` includes `sz_foc_ia`. "
        "Any other is an error.",
    )
    unannotated: str | None = Field(
        "bckg", description="Event type of time without an event; null: such windows are borderline."
    )
    ignored_events: list[str] = Field([], description="Event types to ignore.")
    event_tolerance: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Seconds by which events of different types may overlap, as rounding can cause: the event that is "
        "not a seizure is shortened. Larger overlaps are an error.",
    )
    on_open_event: Literal["error", "unlabeled", "ignore"] = Field(
        "error",
        description="Treatment of a seizure without a duration (0, `n/a` or empty): `error`; `unlabeled`, no window "
        "from its onset to the next event, for at most 5 minutes, is labeled as background; `ignore` it.",
    )
    expected_seizures: dict[str, Annotated[int, Field(ge=0, strict=True)]] = Field(
        {},
        description="Number of seizures of patients, such as `sub-01: 7`, by their ids after `patients` is applied. If "
        "another number is annotated, `eegwf check` and the report warn.",
    )

    @field_validator("expected_seizures")
    @classmethod
    def _normalized(cls, value: dict[str, int]) -> dict[str, int]:
        return {normalize_id(name): number for name, number in value.items()}

    @field_validator("exclude")
    @classmethod
    def _names_of_folders(cls, value: list[str]) -> list[str]:
        for name in value:
            if not name.startswith("sub-"):
                raise ValueError(f"has {name!r}, expected the name of a patient's folder, such as sub-05")
        return sorted({normalize_id(name) for name in value})

    @field_validator("event_map")
    @classmethod
    def _labels_once(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        seen: dict[str, str] = {}
        for label in value:
            other = seen.setdefault(label.casefold(), label)
            if other != label:
                raise ValueError(f"has both {other!r} and {label!r}, which are the same label; remove one of them")
        return value

    @property
    def layout(self) -> FileLayout | None:
        """Places of the recordings; None for those of BIDS."""
        return None


class Bids(RecordedDataset):
    """A BIDS-EEG data set of EDF/EDF+ or BrainVision files with `_events.tsv`."""

    kind: Literal["bids"] = Field(description="The data set is a BIDS folder.")
    root: str = Field(description="Folder that contains `sub-*`; relative to the folder in which Snakemake runs.")


class Files(RecordedDataset):
    """A data set of EDF/EDF+ or BrainVision files in any folder layout, such as that in which a corpus is published."""

    kind: Literal["files"] = Field(description="The recordings are found by patterns of their paths.")
    recordings: PathPatterns = Field(
        description="Pattern of the paths of the recordings relative to `root`, or a list of patterns, such as "
        "`chb*/chb*.edf`: `*` stands for any text in a name, `?` for a character, `[ab]` for one of those in it, and "
        "`**` for any number of folders. They do not stand for names that begin with a dot, and not for the folder "
        "`derivatives`.",
    )
    patient: IdPattern = Field(
        description="Regular expression that is searched in the path of a recording relative to `root`, such as "
        "`PN[0-9]+`; its first group, or the whole match if it has no group, is the id of the patient. `PN-00` is the "
        "patient `sub-PN00`: other characters than letters and digits, and `sub-` at the beginning, are removed.",
    )

    @property
    def layout(self) -> FileLayout:
        """Places of the recordings, and of the ids of their patients."""
        patterns = (self.recordings,) if isinstance(self.recordings, str) else tuple(self.recordings)
        return FileLayout(patterns, self.patient)


class ArrayFiles(Section):
    """File patterns of one spectrogram in the per-fold layout of the earlier notebooks."""

    data: str = Field(description="Pattern with `{fold}` of the arrays.")
    labels: str = Field(description="Pattern with `{fold}` of the integer labels.")
    patients: str = Field(description="Pattern with `{fold}` of the patient of each window.")

    @field_validator("data", "labels", "patients")
    @classmethod
    def _has_fold(cls, value: str) -> str:
        if "{fold}" not in value:
            raise ValueError("must contain {fold} in place of the number of the fold")
        return value


class FoldArrays(Section):
    """Arrays that are already divided into folds, in the layout of the earlier notebooks; the folds are kept."""

    kind: Literal["fold_arrays"] = Field(description="The data set is arrays, divided into folds.")
    arrays: dict[Literal["mel", "stft", "cwt"], ArrayFiles] = Field(description="File patterns per spectrogram.")
    n_folds: int = Field(5, ge=3, description="Number of folds, numbered from 1.")
    axes: str = Field(
        "n f t c",
        description="Order of the axes: n windows, f frequencies, t frames, c channels; `n h w 3` for images.",
    )
    label_names: dict[int, str] = Field(description="Event type of each integer label.")
    sfreq: float = Field(256.0, gt=0, description="Sampling rate of the recordings, in Hz.")
    window_length: float = Field(20.0, gt=0, description="Length of a window in seconds.")
    f_min: float = Field(0.0, ge=0, description="Lowest frequency of the arrays, in Hz.")
    f_max: float = Field(128.0, gt=0, description="Highest frequency of the arrays, in Hz.")

    def files(self) -> list[Path]:
        """All files of the data set, each once."""
        patterns = [pattern for files in self.arrays.values() for pattern in files.model_dump().values()]
        folds = range(1, self.n_folds + 1)
        return list(dict.fromkeys(Path(pattern.replace("{fold}", str(fold))) for pattern in patterns for fold in folds))

    @property
    def event_types(self) -> list[str]:
        """Event types of the labels."""
        return sorted(set(self.label_names.values()))

    @field_validator("axes")
    @classmethod
    def _known_axes(cls, value: str) -> str:
        if value != "n h w 3" and sorted(value.split()) != ["c", "f", "n", "t"]:
            raise ValueError("must be the letters n f t c in the order of the arrays, or 'n h w 3' for images")
        return value


Dataset = Annotated[Synthetic | Bids | Files | FoldArrays, Field(discriminator="kind")]


class Signals(Section):
    """Montage, filters and sampling rate of the signals, and the treatment of bad recordings."""

    montage: Literal["tcp20", "tcp22", "banana18", "average", "as recorded"] = Field(
        "tcp20",
        description="Derivations: `tcp20`, the 20 TCP pairs without the ears; `tcp22`, all 22; `banana18`, the 18 of "
        "the double banana; `average`, 19 electrodes against their average; or the channels as recorded.",
    )
    missing: Literal["error", "interpolate", "exclude"] = Field(
        "error",
        description="Treatment of a missing electrode or derivation: `error`; `interpolate` it from its neighbors; "
        "`exclude` the derivation from all recordings.",
    )
    flat: Literal["keep", "interpolate", "exclude"] = Field(
        "keep",
        description="Treatment of a constant channel: `keep` it, `interpolate` it, or `exclude` its recording.",
    )
    sfreq: float | Literal["as recorded"] = Field(256.0, description="Sampling rate in Hz after resampling.")
    l_freq: float | None = Field(0.5, ge=0, description="High-pass edge in Hz; null for no filter.")
    h_freq: float | None = Field(None, gt=0, description="Low-pass edge in Hz; null for no filter.")
    notch: list[float] = Field([], description="Power-line frequencies to remove, in Hz.")
    on_bad_recording: Literal["stop", "exclude"] = Field(
        "stop", description="Treatment of a recording that can't be read: stop the run, or exclude it and list it."
    )
    on_implausible_amplitude: Literal["note", "error"] = Field(
        "note",
        description="Recordings whose standard deviation is not between 0.1 and 5000 microvolts, or differs from the "
        "median of the data set by a factor of more than 100: a note, or an error as of a bad recording.",
    )

    def target_sfreq(self, recorded: float) -> float:
        """Sampling rate in Hz of the signals of a recording with this recorded rate."""
        return float(recorded if isinstance(self.sfreq, str) else self.sfreq)

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


ClassSet = dict[Name, list[str]]
