"""Windows of a data set: contents, and refusal of bad recordings."""

import json
import unicodedata

import numpy as np
import pytest

from eegwf.data.dataset import write_dataset_windows
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_table
from tests.helpers.headers import set_record_onsets
from tests.helpers.short_recordings import CHANNELS, CONFIG, EVENTS, contents, reading_settings, record


def windows_of(folder):
    return read_table(folder / "windows.tsv", text=("recording", "patient", "label"))


def recordings_of(folder):
    return read_table(folder / "recordings.tsv", text=("recording", "patient", "excluded"))


def test_tables_of_windows_events_and_recordings(run):
    out = run()
    windows = windows_of(out)
    assert list(windows.columns) == ["window", "recording", "patient", "onset", "duration", "label", "overlap"]
    assert windows["window"].tolist() == list(range(40)) and set(windows["duration"]) == {2.0}
    assert windows["onset"].tolist() == [float(onset) for onset in range(0, 20, 2)] * 4
    labels = windows.groupby("patient")["label"].apply(list)
    b = "bckg"
    assert labels["sub-01"] == [b, "", "sz_foc", "sz_foc", "sz_foc", "", b, b, b, b]
    # The seizure covers half of the window from 12 s to 14 s, the minimum overlap.
    assert labels["sub-02"] == [b, b, b, "", "sz_gen", "sz_gen", "sz_gen", b, b, b]
    assert labels["sub-03"] == labels["sub-04"] == [b] * 10
    assert windows["overlap"][16] == 0.5
    assert read_table(out / "events.tsv").values.tolist() == [
        ["sub-01_task-sz", 4, 6, "sz_foc", 3],
        ["sub-02_task-sz", 8, 5, "sz_gen", 3],
        ["sub-04_task-sz", 0, 20, "bckg", 10],
    ]
    recordings = recordings_of(out)
    assert recordings["path"][0] == "sub-01/eeg/sub-01_task-sz_eeg.edf"
    described = recordings[["sfreq", "duration", "n_chans", "n_events"]].values.tolist()
    assert described == [[64, 20, 3, n_events] for n_events in (1, 1, 0, 1)]
    counts = recordings[["n_windows", "n_seizures", "n_unlabeled", "n_open"]].values.tolist()
    assert counts == [[10, 1, 0, 0], [10, 1, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0]]
    axes = json.loads((out / "windows.json").read_text())
    assert axes["ch_names"] == list(CHANNELS) and axes["sfreq"] == 64 and axes["n_times"] == 128


def test_windows_contain_the_samples_of_the_signal(run, bids):
    out = run(windows={"step": 1.5, "length": 1.0})
    arrays = read_array(out / "windows.npy")
    windows = windows_of(out)
    assert arrays.dtype == np.float16 and arrays.shape == (len(windows), 3, 64)
    signals = reading_settings(CONFIG, bids).signals
    for patient, part in windows.groupby("patient"):
        recording = open_signal(bids / patient / "eeg" / f"{patient}_task-sz_eeg.edf", signals)
        for row, onset in zip(part["window"], part["onset"], strict=True):
            start = round(onset * 64)
            expected = recording.read(start, start + 64)
            # Half precision has 11 significant bits.
            np.testing.assert_allclose(arrays[row], expected, rtol=2**-11, atol=2e-4)


def test_windows_of_long_recordings_are_cut_from_blocks(run, bids):
    """Overlapping windows, some on both sides of the boundary between two blocks."""
    path = record(bids, "sub-05", seconds=610)
    arrays = read_array(run(windows={"length": 7.0, "step": 5.0, "borderline": "drop"}) / "windows.npy")
    recording = open_signal(path, reading_settings(CONFIG, bids).signals)
    expected = np.stack([recording.read(start, start + 7 * 64) for start in range(0, 603 * 64 + 1, 5 * 64)])
    np.testing.assert_allclose(arrays[-len(expected) :], expected, rtol=2**-11, atol=2e-4)


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_bytes(run):
    assert contents(run("one", "state1", 1)) == contents(run("two", "state2", 2))


def test_a_bad_recording_is_an_error_or_is_excluded_and_listed(run, bids):
    cut = record(bids, "sub-05", ["1\t3\tsz_foc"])
    cut.write_bytes(cut.read_bytes()[:5000])
    (bids / "sub-02" / "eeg" / "sub-02_task-sz_events.tsv").write_text("onset\tduration\n")
    with pytest.raises(InputError, match=r"sub-0[25]"):
        run()
    out = run(signals={"on_bad_recording": "exclude"})
    recordings = recordings_of(out)
    assert recordings["patient"].tolist() == [f"sub-0{number}" for number in range(1, 6)]
    assert [bool(reason) for reason in recordings["excluded"]] == [False, True, False, False, True]
    assert "no column eventType" in recordings["excluded"][1] and "sub-05" in recordings["excluded"][4]
    assert recordings[["sfreq", "n_chans"]].isna().all(axis=1).tolist() == [False, True, False, False, True]
    assert windows_of(out)["patient"].unique().tolist() == ["sub-01", "sub-03", "sub-04"]
    assert len(read_array(out / "windows.npy")) == 30
    assert read_table(out / "events.tsv")["recording"].tolist() == ["sub-01_task-sz", "sub-04_task-sz"]


def test_a_data_set_without_usable_recordings_is_refused(run, bids):
    for path in bids.glob("sub-*/eeg/*_events.tsv"):
        path.write_text("onset\tduration\n")
    with pytest.raises(InputError, match=r"all 4 recording\(s\) are left out; the first: .*no column eventType"):
        run(signals={"on_bad_recording": "exclude"})


def test_recordings_shorter_than_a_window_have_no_windows(run, bids):
    with pytest.raises(InputError, match=r"no window of 21 s in 4 recording\(s\)"):
        run(windows={"length": 21.0})
    record(bids, "sub-00", seconds=1)
    out = run()
    assert recordings_of(out)["recording"][0] == "sub-00_task-sz" and len(windows_of(out)) == 40


def test_a_recording_with_a_flat_channel_is_excluded_if_configured(run, bids):
    """With `signals.flat: exclude`, such a recording is excluded even if `on_bad_recording` is `stop`."""
    record(bids, "sub-03", flat=[1])
    assert len(windows_of(run("kept"))) == 40
    recordings = recordings_of(run("excluded", signals={"flat": "exclude"}))
    assert recordings["excluded"].astype(bool).tolist() == [False, False, True, False]
    assert "flat from start to end: F3" in recordings["excluded"][2]


def test_different_sampling_rates_are_resampled_or_refused(run, bids):
    record(bids, "sub-02", EVENTS["sub-02"], sfreq=100)
    out = run()
    assert read_array(out / "windows.npy").shape == (40, 3, 128) and set(recordings_of(out)["sfreq"]) == {64}
    with pytest.raises(InputError, match=r"signals\.sfreq: 'as recorded', but .*: 64 Hz, .*sub-02.*: 100 Hz"):
        run(signals={"sfreq": "as recorded"})
    for patient in ("sub-01", "sub-03", "sub-04"):
        record(bids, patient, sfreq=100)
    assert read_array(run(signals={"sfreq": "as recorded"}) / "windows.npy").shape == (40, 3, 200)


def test_different_channels_are_refused_or_reduced_to_the_common_ones(run, bids):
    record(bids, "sub-02", EVENTS["sub-02"], channels=("C3", "Fp1"))
    with pytest.raises(InputError, match=r"F3 only in .*sub-01"):
        run()
    out = run(signals={"missing": "exclude"})
    assert json.loads((out / "windows.json").read_text())["ch_names"] == ["Fp1", "C3"]
    assert set(recordings_of(out)["n_chans"]) == {2} and read_array(out / "windows.npy").shape == (40, 2, 128)


def test_two_identifiers_of_one_person_are_mapped_to_one_patient(run):
    out = run(patients={"sub-02": "sub-01", "sub-04": "cousin"})
    assert windows_of(out)["patient"].unique().tolist() == ["sub-01", "sub-03", "cousin"]
    assert recordings_of(out)["patient"].tolist() == ["sub-01", "sub-01", "sub-03", "cousin"]
    assert (out / "windows.npy").read_bytes() == (run("apart") / "windows.npy").read_bytes()


@pytest.mark.parametrize(
    ("patients", "line"),
    [
        ({"sub-21": "sub-01"}, "patients: sub-21: not in the data set; no effect"),
        ({"x": "sub-01"}, "patients: x: not in the data set; no effect"),
        ({"sub-2": "sub-01"}, "warning: patients.sub-2: no such patient in the data set, so the entry has no effect"),
    ],
)
def test_an_absent_id_has_no_effect_and_is_logged(run, caplog, patients, line):
    caplog.set_level("INFO")
    assert contents(run(patients=patients)) == contents(run("without"))
    assert sum(message.startswith(line) for message in caplog.messages) == 1


def test_recordings_with_faulty_files_are_listed_at_once_or_excluded(run, bids):
    """A link to a missing recording, one to missing events, no events, two files of one name, and another's name."""
    for number in range(5, 10):
        record(bids, f"sub-0{number}", ["1\t3\tsz_foc"])
    paths = {number: bids / f"sub-0{number}/eeg/sub-0{number}_task-sz_eeg.edf" for number in range(5, 10)}
    events = {number: path.with_name(path.name.replace("eeg.edf", "events.tsv")) for number, path in paths.items()}
    for path in (paths[5], events[6]):
        path.unlink()
        path.symlink_to("missing")
    events[7].unlink()
    paths[8].with_suffix(".bdf").write_bytes(b"")
    paths[9].rename(paths[9].with_name("sub-99_task-sz_eeg.edf"))
    with pytest.raises(InputError) as caught:
        run()
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert len(lines) == 5 and all(line.startswith(str(bids)) for line in lines)
    out = run(signals={"on_bad_recording": "exclude"})
    recordings = recordings_of(out)
    assert recordings["patient"].tolist() == [f"sub-0{number}" for number in range(1, 10)]
    assert recordings["excluded"][:4].tolist() == [""] * 4 and recordings["excluded"][4:].tolist() == lines
    for path in bids.glob("sub-0[5-9]/eeg/*"):
        path.unlink()
    good = run("good", signals={"on_bad_recording": "exclude"})
    for name in ("windows.npy", "windows.tsv", "windows.json", "events.tsv"):
        assert (out / name).read_bytes() == (good / name).read_bytes()


def test_a_data_set_of_faulty_files_only_is_refused(run, bids):
    for path in bids.glob("sub-*/eeg/*_events.tsv"):
        path.unlink()
    with pytest.raises(InputError, match=r"all 4 recording\(s\) are left out; the first: .*no sub-01_task-sz_events"):
        run(signals={"on_bad_recording": "exclude"})


def test_both_spellings_of_an_accent_are_one_patient(run, bids):
    composed, decomposed = (unicodedata.normalize(form, "sub-Jürgen") for form in ("NFC", "NFD"))
    for path in sorted((bids / "sub-04" / "eeg").iterdir()):
        path.rename(path.with_name(path.name.replace("sub-04", decomposed)))
    (bids / "sub-04").rename(bids / decomposed)
    assert windows_of(run())["patient"].unique().tolist() == ["sub-01", "sub-02", "sub-03", composed]
    joined = run("joined", patients={composed: "sub-03"})
    assert windows_of(joined)["patient"].unique().tolist() == ["sub-01", "sub-02", "sub-03"]


def test_folders_that_are_not_read_are_logged(run, bids, caplog):
    (bids / "sub-05" / "ieeg").mkdir(parents=True)
    (bids / "sub-05" / "ieeg" / "sub-05_task-sz_ieeg.edf").touch()
    run()
    assert any(line.startswith("warning: sub-05: no recording is read") for line in caplog.messages)


def test_seizures_that_no_window_carries_are_counted(run, bids):
    record(bids, "sub-01", ["4.5\t0.5\tsz_foc", "6\t4\tsz_foc", "15.2\t0.4\tsz_gen", "18\t0\tsz_foc"])
    changes = {"dataset": {"on_open_event": "unlabeled"}, "windows": {"guard": 0.0}}
    out = run(**changes)
    events = read_table(out / "events.tsv")
    assert events["n_windows"].tolist()[:4] == [0, 2, 0, 0]
    counts = recordings_of(out)[["n_windows", "n_seizures", "n_unlabeled", "n_open"]]
    assert counts.values.tolist()[0] == [10, 4, 3, 1]
    labels = windows_of(out).groupby("patient")["label"].apply(list)["sub-01"]
    assert labels == ["bckg", "bckg", "", "sz_foc", "sz_foc", "bckg", "bckg", "", "bckg", ""]
    with_option = run("option", windows={"guard": 0.0, "min_event_overlap": 0.5}, dataset=changes["dataset"])
    assert read_table(with_option / "events.tsv")["n_windows"].tolist()[:4] == [1, 2, 1, 0]
    labels = windows_of(with_option).groupby("patient")["label"].apply(list)["sub-01"]
    assert labels == ["bckg", "bckg", "sz_foc", "sz_foc", "sz_foc", "bckg", "bckg", "sz_gen", "bckg", ""]


def test_borderline_windows_are_kept_or_dropped(run):
    kept, dropped = run("kept"), run("dropped", windows={"borderline": "drop"})
    labeled = windows_of(kept)
    labeled = labeled[labeled["label"] != ""]
    reduced = windows_of(dropped)
    assert len(reduced) == 37 and reduced["window"].tolist() == list(range(37))
    assert reduced["onset"].tolist() == labeled["onset"].tolist()
    arrays = read_array(kept / "windows.npy")[labeled["window"]].astype(float)
    np.testing.assert_allclose(read_array(dropped / "windows.npy"), arrays, rtol=2**-10, atol=2e-4)
    # Time without an event may have no label.
    unlabeled = windows_of(run("unlabeled", dataset={"unannotated": None}))
    has_background = unlabeled.groupby("patient")["label"].apply(lambda labels: "bckg" in set(labels))
    assert has_background.tolist() == [False] * 3 + [True]


def test_amplitudes_beyond_half_precision_are_refused(run, bids):
    path = record(bids, "sub-02", peak=5e5)
    with pytest.raises(InputError, match=r"sub-02.*microvolts between 0 s and 20 s, beyond 65504.*unit"):
        run(signals={"l_freq": None})
    assert str(path) in recordings_of(run(signals={"l_freq": None, "on_bad_recording": "exclude"}))["excluded"][1]


def test_labels_of_real_recordings_agree_with_the_annotated_seconds(data_root, tmp_path):
    """62 newborns: windows with one event type throughout cover about the annotated seconds of that type."""
    dataset = {"kind": "bids", "root": "", "event_types": ["bckg", "sz", "disputed"], "unannotated": None}
    config = {**CONFIG, "dataset": dataset, "windows": {"length": 2.0, "step": 2.0, "min_overlap": 1.0}}
    config["signals"] = {"montage": "tcp20", "sfreq": 64.0}
    reading = reading_settings(config, data_root / "helsinki")
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state", 1, "")
    windows = windows_of(tmp_path / "out")
    annotated = read_table(data_root / "helsinki" / "participants.tsv", text=("participant_id",))
    assert windows["patient"].unique().tolist() == annotated["participant_id"].tolist() and len(annotated) == 62
    assert len(windows) == 62 * 15 and read_array(tmp_path / "out" / "windows.npy").shape == (930, 20, 128)
    for label in ("sz", "disputed", "bckg"):
        covered = 2 * windows[windows["label"] == label].groupby("patient").size()
        seconds = annotated.set_index("participant_id")[f"seconds_{label}"]
        covered = covered.reindex(seconds.index, fill_value=0)
        # A window that contains an onset or an end has no label, so that slightly fewer seconds are covered.
        assert (covered <= seconds).all()
        assert covered.sum() > 0.8 * seconds.sum()


def test_windows_and_events_of_a_recording_with_a_gap_keep_its_clock(run, bids):
    """EDF+D: 20 s are recorded from 0 to 7 s and from 100.5 to 113.5 s."""
    record(bids, "sub-05", ["104.5\t4\tsz_foc", "50\t10\tsz_gen"], annotated=True)
    path = bids / "sub-05" / "eeg" / "sub-05_task-sz_eeg.edf"
    set_record_onsets(path, [*range(7), *(100.5 + second for second in range(13))])
    out = run()
    windows = windows_of(out)
    windows = windows[windows["patient"] == "sub-05"]
    assert windows["onset"].tolist() == [0, 2, 4, 100.5, 102.5, 104.5, 106.5, 108.5, 110.5]
    assert windows["label"].tolist() == ["bckg"] * 4 + ["", "sz_foc", "sz_foc", "", "bckg"]
    events = read_table(out / "events.tsv")
    events = events[events["recording"] == "sub-05_task-sz"]
    assert events[["onset", "n_windows"]].values.tolist() == [[50, 0], [104.5, 2]]
    last = recordings_of(out).iloc[-1]
    assert (last["duration"], last["span"], last["n_gaps"], last["n_unlabeled"]) == (20, 113.5, 1, 1)
    assert last["notes"].startswith("1 gap (7 to 100.5 s); no window crosses a gap")
    assert set(recordings_of(out)["span"][:4]) == {20} and set(recordings_of(out)["n_gaps"][:4]) == {0}
