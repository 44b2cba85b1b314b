"""Every corpus in small: names, tables, sidecars, equality with the direct reading, and the published numbers."""

import csv
import json
import re

import numpy as np
import pytest
import yaml
from scipy.io import savemat

from eegwf.config.channels import Channels
from eegwf.config.data import Bids, Signals
from eegwf.config.windows import Windows
from eegwf.convert.command import CORPUS_NAMES
from eegwf.convert.conversion import convert
from eegwf.convert.corpora import CORPORA, corpus_in
from eegwf.data.inspection import inspect_dataset
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.signals.header import header
from tests.helpers.headers import write_edf
from tests.helpers.original_layouts import (
    BANANA,
    helsinki_scores,
    write_chbmit,
    write_helsinki,
    write_noise,
    write_siena,
    write_tusz,
)
from tests.helpers.seizeit2 import write_seizeit2

WRITERS = {"chbmit": write_chbmit, "siena": write_siena, "tusz": write_tusz, "seizeit2": write_seizeit2}
WRITERS["helsinki"] = write_helsinki
# Of each corpus in small: patients, recordings, seizures as the published number counts them.
SIZES = {"chbmit": (4, 8, 4), "siena": (4, 8, 8), "tusz": (4, 8, 4), "seizeit2": (6, 6, 6), "helsinki": (3, 3, 4)}
ENTITIES = re.compile(
    r"(sub-[a-zA-Z0-9]+)(_ses-[a-zA-Z0-9]+)?_task-szMonitoring(_acq-[a-zA-Z0-9]+)?(_run-\d+)?_eeg\.edf"
)
# As in the configuration of SeizeIT2; the other corpora have no such channels.
ALIASES = {"BTE": ["BTEleft SD", "BTEright SD"], "CROSS": ["CROSStop SD", "BTEright SD"]}
SZCORE = ["onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration"]


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def events_of(root, outcome):
    rows = rows_of(root / outcome.recording.replace("_eeg.edf", "_events.tsv"))
    return [(float(row["onset"]), float(row["duration"]), row["eventType"]) for row in rows]


def run(name, source, target, link=False, binary=False):
    outcomes, lines = convert(corpus_in(name, source, binary), source, target, link)
    return outcomes, lines


def inspected(dataset, root):
    windows, signals = Windows(length=4, step=4, guard=0), Signals(notch=[], sfreq=128, montage="as recorded")
    signals = signals.model_copy(update={"on_bad_recording": "exclude", "missing": "exclude"})
    found = inspect_dataset(ReadingSettings(root, dataset, signals, windows, {}, Channels(aliases=ALIASES)))
    return {item.recording.path.relative_to(root).as_posix(): item for item in found.items}


@pytest.fixture(params=CORPUS_NAMES)
def name(request):
    return request.param


@pytest.fixture
def source(name, tmp_path):
    return WRITERS[name](tmp_path / "source")


def test_names_sizes_and_sidecars(name, source, tmp_path):
    outcomes, lines = run(name, source, tmp_path / "bids")
    assert not [outcome.fault for outcome in outcomes if outcome.fault]
    patients, recordings, seizures = SIZES[name]
    assert len({outcome.participant for outcome in outcomes}) == patients
    assert len({outcome.recording for outcome in outcomes}) == recordings == len(list(tmp_path.glob("bids/**/*.edf")))
    assert round(sum(outcome.n_seizures for outcome in outcomes)) == seizures
    for outcome in outcomes:
        path = tmp_path / "bids" / outcome.recording
        match = ENTITIES.fullmatch(path.name)
        assert match and match[1] == outcome.participant == path.relative_to(tmp_path / "bids").parts[0]
        assert path.parent.name == "eeg" and (match[2] or "")[1:] in ("", path.parent.parent.name)
        assert path.read_bytes() == (source / outcome.source).read_bytes()
        rows = rows_of(path.with_name(path.name.replace("_eeg.edf", "_events.tsv")))
        assert rows and list(rows[0]) == SZCORE and None not in rows[0]
        assert all(0 <= float(row["onset"]) < float(row["recordingDuration"]) == 40 for row in rows)
        sidecar = json.loads(path.with_suffix(".json").read_text())
        head = header(path)
        assert sidecar["TaskName"] == "szMonitoring" and sidecar["SamplingFrequency"] == head.sfreq == 128
        assert sidecar["EEGChannelCount"] == len(head.eeg) and sidecar["RecordingDuration"] == 40
        channels = rows_of(path.with_name(path.name.replace("_eeg.edf", "_channels.tsv")))
        assert [row["name"] for row in channels] == list(head.names)
        assert sum(row["type"] == "EEG" for row in channels) == len(head.eeg)
    description = json.loads((tmp_path / "bids/dataset_description.json").read_text())
    assert {"Name", "BIDSVersion", "DatasetType", "License"} <= set(description)
    people = rows_of(tmp_path / "bids/participants.tsv")
    assert {row["participant_id"] for row in people} == {outcome.participant for outcome in outcomes}
    table = rows_of(tmp_path / "bids/code/conversion.tsv")
    assert {row["recording"]: row["source"] for row in table} == {o.recording: o.source for o in outcomes}
    assert {row["status"] for row in table} == {"converted"}
    published = CORPORA[name].published
    assert lines[-1].endswith(published.source) and f"{published.patients}" in lines[-5].split()


def test_the_result_is_read_as_the_original(name, source, tmp_path):
    outcomes, _ = run(name, source, tmp_path / "bids")
    dataset = corpus_in(name, source, False).dataset
    before = inspected(dataset, source)
    after = inspected(Bids(kind="bids", root=".", event_types=dataset.event_types), tmp_path / "bids")
    assert len(before) == len(after) == len(outcomes)
    for outcome in outcomes:
        one, other = before[outcome.source], after[outcome.recording]
        assert not one.fault and not other.fault, (one.fault, other.fault)
        if name in ("tusz", "seizeit2", "helsinki"):
            assert one.events == other.events and one.events
        else:  # without a seizure, the table has the background; Siena has no subject_info.csv here
            assert list(one.events) == [event for event in other.events if event.label != "bckg"]
        assert list(one.labels.label) == list(other.labels.label) and len(one.labels.label) == 10
        assert one.head.names == other.head.names and one.head.units == other.head.units


def test_the_datasets_are_those_of_the_shipped_configurations(root, name):
    file = root / f"config/datasets/{name}{'' if name == 'seizeit2' else '_original'}.yaml"
    shipped = yaml.safe_load(file.read_text())["dataset"]
    ours = CORPORA[name].dataset.model_dump(exclude_unset=True)
    assert {**ours, "root": None} == {**shipped, "root": None}


def test_names_that_are_not_numbers(tmp_path):
    """Some files of CHB-MIT have letters or a plus, and the files of PN10 several numbers."""
    folder = tmp_path / "source/chb17"
    names = ["chb17a_03.edf", "chb17b_57.edf", "chb17c_03.edf", "chb17_16.edf", "chb17_16+.edf"]
    for number, file in enumerate(names):
        write_noise(folder / file, BANANA.split(), number)
    lines = [f"File Name: {file}\nNumber of Seizures in File: 0" for file in names]
    (folder / "chb17-summary.txt").write_text("\n\n".join(lines))
    outcomes, _ = run("chbmit", tmp_path / "source", tmp_path / "bids")
    middle = {o.source.split("/")[1]: o.recording.split("szMonitoring_")[1] for o in outcomes}
    assert middle == {
        "chb17a_03.edf": "acq-a03_eeg.edf",
        "chb17b_57.edf": "acq-b57_eeg.edf",
        "chb17c_03.edf": "acq-c03_eeg.edf",
        "chb17_16.edf": "run-16_eeg.edf",
        "chb17_16+.edf": "acq-16plus_eeg.edf",
    }
    source = write_siena(tmp_path / "siena", ("PN10",))
    (source / "PN10/PN10-2.edf").rename(source / "PN10/PN10-4.5.6.edf")
    path = source / "PN10/Seizures-list-PN10.txt"
    path.write_text(path.read_text().replace("PN10-2.edf", "PN10-4.5.6.edf"))
    outcomes, _ = run("siena", source, tmp_path / "bids_siena")
    assert [o.recording.split("szMonitoring_")[1] for o in outcomes] == ["run-1_eeg.edf", "acq-456_eeg.edf"]


def test_several_seizures_and_none_in_a_summary(tmp_path):
    source = write_chbmit(tmp_path / "source", ("chb01", "chb21"))
    path = source / "chb01/chb01-summary.txt"
    times = [(3, 7), (9, 11), (20, 33)]
    block = "".join(f"Seizure {n} Start Time: {a} seconds\nSeizure {n} End Time: {b} seconds\n"
                    for n, (a, b) in enumerate(times, start=1))  # fmt: skip
    text = path.read_text()
    begin = text.index("File Name: chb01_04.edf")
    path.write_text(text[:begin] + "File Name: chb01_04.edf\nNumber of Seizures in File: 3\n" + block)
    outcomes, _ = run("chbmit", source, tmp_path / "bids")
    events = {outcome.source: events_of(tmp_path / "bids", outcome) for outcome in outcomes}
    assert events["chb01/chb01_04.edf"] == [(a, b - a, "sz") for a, b in times]
    assert events["chb21/chb21_04.edf"] == [(0, 40, "bckg")]
    people = {row["participant_id"]: row["person"] for row in rows_of(tmp_path / "bids/participants.tsv")}
    assert people == {"sub-01": "sub-01", "sub-21": "sub-01"}
    assert "patients: {sub-21: sub-01}" in (tmp_path / "bids/README").read_text()


def test_both_forms_of_the_annotations_of_tusz(tmp_path):
    source = write_tusz(tmp_path / "source")
    for binary, kind in ((False, "sz_foc"), (True, "sz")):
        outcomes, _ = run("tusz", source, tmp_path / f"bids{binary}", binary=binary)
        for outcome in outcomes:
            # An independent reading: the rows of a file, with the words of the corpus.
            path = (source / outcome.source).with_suffix(".csv_bi" if binary else ".csv")
            cells = [line.split(",") for line in path.read_text().splitlines() if line[:1] not in ("#", "c")]
            words = {"bckg": "bckg", "seiz": "sz", "fnsz": "sz_foc"}
            expected = [(float(c[1]), float(c[2]) - float(c[1]), words[c[3]]) for c in cells]
            assert events_of(tmp_path / f"bids{binary}", outcome) == expected
        kinds = {event[2] for outcome in outcomes for event in events_of(tmp_path / f"bids{binary}", outcome)}
        assert kinds == {"bckg", kind}
    assert outcomes[0].recording == ("sub-aaaaaaac/ses-000/eeg/sub-aaaaaaac_ses-000_task-szMonitoring_run-000_eeg.edf")
    splits = {row["source_id"]: row["split"] for row in rows_of(tmp_path / "bidsFalse/participants.tsv")}
    assert splits == {"aaaaaaac": "train", "aaaaaaaj": "dev", "aaaaaabn": "eval", "aaaaaacq": "train"}


def test_seizeit2_keeps_names_and_sidecars_and_leaves_other_sensors(tmp_path):
    source = write_seizeit2(tmp_path / "source")
    base = "sub-001/ses-01/eeg/sub-001_ses-01_task-szMonitoring_run-01"
    (source / f"{base}_eeg.json").write_text('{"EEGMontage": "left"}')
    (source / "participants.tsv").write_text("participant_id\tsex\nsub-001\tf\n")
    outcomes, _ = run("seizeit2", source, tmp_path / "bids")
    assert all(outcome.recording == outcome.source for outcome in outcomes)
    assert (tmp_path / f"bids/{base}_eeg.json").read_text() == '{"EEGMontage": "left"}'
    assert not list(tmp_path.glob("bids/**/ecg"))
    events = events_of(tmp_path / "bids", outcomes[0])
    given = [row for row in rows_of(source / f"{base}_events.tsv") if row["onset"]]
    assert events == [(float(row["onset"]), float(row["duration"]), row["eventType"]) for row in given]
    people = rows_of(tmp_path / "bids/participants.tsv")
    assert people[0] == {"participant_id": "sub-001", "source_id": "sub-001", "sex": "f"} and people[1]["sex"] == "n/a"


def test_real_events_of_seizeit2(data_root, tmp_path):
    """Real tables of events, with recordings of zeros of their length."""
    n_events = 0
    source = tmp_path / "source"
    tables = sorted((data_root / "seizeit2_events").rglob("*_events.tsv"))
    for table in tables:
        given = rows_of(table)
        place = source / table.relative_to(data_root / "seizeit2_events")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(table.read_bytes())
        seconds = round(float(given[0]["recordingDuration"]))
        edf = place.with_name(place.name.replace("_events.tsv", "_eeg.edf"))
        write_edf(edf, np.zeros((1, seconds)), ["BTEleft SD"], rates=[1])
    outcomes, _ = run("seizeit2", source, tmp_path / "bids", link=True)
    assert len(outcomes) == len(tables) > 30 and not [o.fault for o in outcomes if o.fault]
    for table, outcome in zip(tables, outcomes, strict=True):
        given = [(float(r["onset"]), float(r["duration"]), r["eventType"]) for r in rows_of(table)]
        assert events_of(tmp_path / "bids", outcome) == sorted(given)
        n_events += len(given)
    assert n_events > len(tables)


@pytest.mark.parametrize("form", ["annotations_2017.mat", "annotations_2017_A_fixed.csv"])
def test_helsinki(tmp_path, form):
    source = write_helsinki(tmp_path / "source", form)
    header_line = "ID,EEG file,Gender,BW (g),GA (weeks)"
    (source / "clinical_information.csv").write_text(
        f"{header_line}\n1,eeg1,f,less than 2500g,37 to 38\n2,eeg2,m,N/A,\n"
    )
    outcomes, _ = run("helsinki", source, tmp_path / "bids")
    for outcome in outcomes:
        number = int(outcome.source.removeprefix("eeg").removesuffix(".edf"))
        scores = helsinki_scores(number)
        seconds = [kind for _, length, kind in events_of(tmp_path / "bids", outcome) for _ in range(int(length))]
        assert seconds == [("bckg", "disputed", "disputed", "sz")[sum(votes)] for votes in zip(*scores, strict=True)]
        runs = [re.findall("1+", "".join(map(str, row))) for row in scores]
        assert outcome.n_seizures == sum(map(len, runs)) / 3
    assert [outcome.participant for outcome in outcomes] == ["sub-01", "sub-11", "sub-02"]
    people = rows_of(tmp_path / "bids/participants.tsv")
    assert people[0] == {"participant_id": "sub-01", "source_id": "eeg1", "sex": "f",
                         "gestational_age_weeks": "37 to 38", "birth_weight_g": "less than 2500g"}  # fmt: skip
    assert people[1]["birth_weight_g"] == people[1]["gestational_age_weeks"] == "n/a"


def test_helsinki_gives_the_events_of_the_excerpts(data_root, tmp_path):
    """The excerpts with the values of the experts that their events tell, under their original names."""
    excerpts = data_root / "helsinki"
    cells = np.empty((1, 79), object)
    cells[:] = [[np.zeros((3, 0))] * 79]
    source = tmp_path / "source"
    source.mkdir()
    given = {}
    for table in sorted(excerpts.glob("sub-*/eeg/*_events.tsv")):
        patient = table.name[:6]
        number = int(patient[4:])
        given[patient] = [(float(r["onset"]), float(r["duration"]), r["eventType"]) for r in rows_of(table)]
        votes = [
            {"sz": 3, "disputed": 1 + number % 2, "bckg": 0}[kind]
            for _, n, kind in given[patient]
            for _ in range(int(n))
        ]
        cells[0, number - 1] = np.array([[vote > expert for vote in votes] for expert in range(3)], float)
        edf = next(table.parent.glob("*_eeg.edf"))
        (source / f"eeg{number}.edf").symlink_to(edf)
    savemat(source / "annotations_2017.mat", {"annotat_new": cells})
    outcomes, _ = run("helsinki", source, tmp_path / "bids")
    assert not [outcome.fault for outcome in outcomes if outcome.fault]
    assert {o.participant: events_of(tmp_path / "bids", o) for o in outcomes} == given and len(given) == 62
