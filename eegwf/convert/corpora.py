"""The corpora that are converted: their files, annotations, and published sizes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from eegwf.config.data import Annotations, Bids, Files
from eegwf.convert import participants
from eegwf.convert.participants import Table
from eegwf.data.annotations import chbmit, helsinki, siena
from eegwf.data.bids import Recording
from eegwf.data.events import Event, EventRules

MATLAB_FILE = "annotations_2017.mat"
EXPERT_TABLES = ("annotations_2017_A_fixed.csv", "annotations_2017_A.csv")


@dataclass(frozen=True)
class Published:
    """Size of a corpus as it is published; None if a number is not known.

    Attributes
    ----------
    patients, recordings, hours, seizures
        The numbers.
    source
        Where they are published.
    """

    patients: int
    recordings: int | None
    hours: float | None
    seizures: int | None
    source: str


@dataclass(frozen=True)
class Corpus:
    """A corpus in the folders in which it is published.

    Attributes
    ----------
    title
        Its name.
    dataset
        Places of its recordings and annotations, and event types, as the configuration has them.
    names
        Regular expression for the names of its files without suffix, with the group `label`, which distinguishes the
        recordings of a patient, and possibly the group `session`; empty if the names are those of BIDS already.
    source_id
        Id of a patient in the corpus, with `{label}`, that of the dataset.
    example
        Path of a recording, for messages.
    lists
        Pattern of the files that name recordings, and the function that reads the names.
    read_participants
        Reader of what is known about the patients.
    published
        Its published size.
    license, authors, reference
        License, authors, and the publication to cite.
    power_line
        Frequency of the power line in Hz.
    remarks
        Sentences for the README of the result.
    """

    title: str
    dataset: Files | Bids
    names: str
    source_id: str
    example: str
    lists: tuple[str, Callable[[Path], list[str]]]
    read_participants: Callable[[Path], Table]
    published: Published
    license: str
    authors: tuple[str, ...]
    reference: str
    power_line: int
    remarks: tuple[str, ...] = ()

    def count_seizures(self, recording: Recording, events: list[Event]) -> float:
        """Number of seizures of a recording that can be compared with the published number.

        Parameters
        ----------
        recording
            The recording.
        events
            Its events.

        Returns
        -------
        float
            For the Helsinki recordings, the mean number of the three experts.
        """
        if recording.format == "helsinki":
            return helsinki.mean_seizures(recording.events_path, recording.path)
        rules = EventRules.of(self.dataset)
        return sum(rules.is_seizure(event.label) for event in events)


def corpus_in(name: str, source: Path, binary: bool) -> Corpus:
    """Corpus with the form of its annotations that is to be read.

    Parameters
    ----------
    name
        Name of the corpus.
    source
        Its folder.
    binary
        Whether the `.csv_bi` of TUSZ are read in place of the `.csv`.

    Returns
    -------
    Corpus
        The Helsinki recordings have the tables of the experts if there is no file of MATLAB.
    """
    corpus = CORPORA[name]
    if name == "tusz" and binary:
        return _with_annotations(
            corpus, Annotations(format="tusz", file="{stem}.csv_bi"), ("**/*_s*_t*.csv_bi", _same_stem)
        )
    if name == "helsinki" and not (source / MATLAB_FILE).exists():
        table = next((table for table in EXPERT_TABLES if (source / table).exists()), None)
        if table is not None:
            return _with_annotations(corpus, Annotations(format="helsinki", file=table), (table, corpus.lists[1]))
    return corpus


def _with_annotations(
    corpus: Corpus, annotations: Annotations, lists: tuple[str, Callable[[Path], list[str]]]
) -> Corpus:
    return replace(corpus, dataset=corpus.dataset.model_copy(update={"annotations": annotations}), lists=lists)


def _same_stem(path: Path) -> list[str]:
    return [f"{path.stem}.edf"]


def _beside_events(path: Path) -> list[str]:
    return [path.name.replace("_events.tsv", "_eeg.edf")]


CORPORA: dict[str, Corpus] = {
    "chbmit": Corpus(
        title="CHB-MIT Scalp EEG Database",
        dataset=Files(
            kind="files",
            root=".",
            recordings="chb*/chb*.edf",
            patient="chb([0-9]+)",
            annotations=Annotations(format="chbmit"),
            event_types=["bckg", "sz"],
        ),
        names=r"chb\d+(?P<label>.*)",
        source_id="chb{label}",
        example="chb01/chb01_03.edf",
        lists=("chb*/*-summary.txt", chbmit.listed_recordings),
        read_participants=participants.chbmit,
        published=Published(24, 664, None, 198, "physionet.org/content/chbmit/1.0.0; 24 cases of 23 patients"),
        license="ODC-By-1.0",
        authors=("John Guttag",),
        reference="Guttag (2010), CHB-MIT Scalp EEG Database, PhysioNet, doi:10.13026/C2K01R",
        power_line=60,
        remarks=(
            "sub-21 is the person of sub-01, recorded 1.5 years later: keep both on the same side of any split "
            "(participants.tsv, column person; in eegwf, `patients: {sub-21: sub-01}`).",
        ),
    ),
    "siena": Corpus(
        title="Siena Scalp EEG Database",
        dataset=Files(
            kind="files",
            root=".",
            recordings="PN*/PN*.edf",
            patient="PN[0-9]+",
            annotations=Annotations(format="siena"),
            event_types=["bckg", "sz"],
        ),
        names=r"PN\d+(?P<label>.*)",
        source_id="{label}",
        example="PN00/PN00-1.edf",
        lists=("PN*/Seizures-list-*.txt", siena.listed_recordings),
        read_participants=participants.siena,
        published=Published(14, 41, 128, 47, "physionet.org/content/siena-scalp-eeg/1.0.0"),
        license="CC-BY-4.0",
        authors=("Paolo Detti",),
        reference="Detti (2020), Siena Scalp EEG Database, PhysioNet, doi:10.13026/5d4a-j060",
        power_line=50,
        remarks=("The event type of the seizures of a patient is that in subject_info.csv.",),
    ),
    "tusz": Corpus(
        title="TUH EEG Seizure Corpus",
        dataset=Files(
            kind="files",
            root=".",
            recordings="**/*.edf",
            patient="([a-z0-9]+)_s[0-9]+_t[0-9]+",
            annotations=Annotations(format="tusz", file="{stem}.csv"),
            event_types=["bckg", "sz"],
        ),
        names=r"[a-z0-9]+_s(?P<session>\d+)_t(?P<label>\d+)",
        source_id="{label}",
        example="edf/train/aaaaaaac/s001_2002/02_tcp_le/aaaaaaac_s001_t000.edf",
        lists=("**/*_s*_t*.csv", _same_stem),
        read_participants=participants.tusz,
        published=Published(
            675, 7377, 1476, None, "v2.0.0, Dan et al. (2024), SzCORE, Epilepsia, doi:10.1111/epi.18113"
        ),
        license="license agreement of the TUH EEG Corpus",
        authors=("Vinit Shah", "Iyad Obeid", "Joseph Picone"),
        reference="Shah et al. (2018), Frontiers in Neuroinformatics 12:83, doi:10.3389/fninf.2018.00083",
        power_line=60,
    ),
    "seizeit2": Corpus(
        title="SeizeIT2",
        dataset=Bids(kind="bids", root=".", event_types=["bckg", "sz", "impd"]),
        names="",
        source_id="sub-{label}",
        example="sub-001/ses-01/eeg/sub-001_ses-01_task-szMonitoring_run-01_eeg.edf",
        lists=("sub-*/ses-*/eeg/*_events.tsv", _beside_events),
        read_participants=participants.bids,
        published=Published(125, None, 11640, 886, "openneuro.org/datasets/ds005873, README"),
        license="CC0",
        authors=("Miguel Bhagubai", "Christos Chatzichristos", "Maarten De Vos"),
        reference="Bhagubai et al. (2025), SeizeIT2, Scientific Data 12, doi:10.1038/s41597-025-05580-x",
        power_line=50,
        remarks=("Only EEG is converted, not the folders ecg, emg and mov.",),
    ),
    "helsinki": Corpus(
        title="Helsinki neonatal EEG with seizure annotations",
        dataset=Files(
            kind="files",
            root=".",
            recordings="eeg*.edf",
            patient="eeg([0-9]+)",
            annotations=Annotations(format="helsinki"),
            event_types=["bckg", "sz", "disputed"],
        ),
        names=r"eeg\d+(?P<label>.*)",
        source_id="eeg{label}",
        example="eeg1.edf",
        lists=(MATLAB_FILE, helsinki.annotated_recordings),
        read_participants=participants.helsinki,
        published=Published(
            79, 79, None, 460, "Stevenson et al. (2019), doi:10.1038/sdata.2019.39; mean number per expert"
        ),
        license="CC-BY-4.0",
        authors=("Nathan Stevenson", "Karoliina Tapani", "Leena Lauronen", "Sampsa Vanhatalo"),
        reference="Stevenson et al. (2019), Scientific Data 6:190039, doi:10.1038/sdata.2019.39",
        power_line=50,
        remarks=(
            "Events: sz where all three experts mark a seizure, disputed where one or two do, bckg where none does.",
        ),
    ),
}
