"""The synthetic data set: reproducibility, file formats, agreement of signals and ground truth, and difficulty."""

import fcntl
import hashlib
import json
import os
import warnings
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest
from scipy import signal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from eegwf.config.data import Synthetic
from eegwf.config.synthetic import MICROVOLTS_PER_STEP
from eegwf.data.synthetic.dataset import write_dataset
from eegwf.data.synthetic.recording import draw_cases, draw_recording
from eegwf.data.synthetic.scalp import ELECTRODES, N_ELECTRODES, spatial_root
from eegwf.data.synthetic.signal import BLOCK, SFREQ, PatientProfile, background, colored_noise
from eegwf.errors import InputError

SMALL = {"n_focal": 2, "n_generalized": 1, "n_both": 1, "n_none": 1, "minutes": 1.0, "seizures": 2}
TCP = (
    "Fp1-F7 F7-T3 T3-T5 T5-O1 Fp2-F8 F8-T4 T4-T6 T6-O2 T3-C3 C3-Cz Cz-C4 C4-T4 "
    "Fp1-F3 F3-C3 C3-P3 P3-O1 Fp2-F4 F4-C4 C4-P4 P4-O2"
)
BANDS = ((0.5, 4), (4, 8), (8, 13), (13, 30), (30, 70))
WINDOW = 5


def small(**changed) -> Synthetic:
    return Synthetic(kind="synthetic", **{**SMALL, **changed})


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("synthetic") / "bids"
    write_dataset(root, small())
    return root


@pytest.fixture(scope="module")
def default_study() -> list[tuple]:
    cases = draw_cases(Synthetic(kind="synthetic"))
    return [(case, *draw_recording(case)) for case in cases]


def test_bytes_do_not_depend_on_number_of_workers(dataset, tmp_path):
    write_dataset(tmp_path / "bids", small(), workers=2)
    assert digests(tmp_path / "bids") == digests(dataset)


def test_another_seed_changes_every_recording(dataset, tmp_path):
    write_dataset(tmp_path / "bids", small(seed=8))
    first, second = digests(dataset), digests(tmp_path / "bids")
    edfs = [name for name in first if name.endswith(".edf")]
    assert len(edfs) == 5
    assert all(first[name] != second[name] for name in edfs)


def test_earlier_data_set_and_stale_temporary_folders_are_removed(dataset, tmp_path):
    write_dataset(tmp_path / "bids", small(seed=8, n_both=3))
    (tmp_path / ".bids.unfinished-stale").mkdir()
    in_use = tmp_path / ".bids.unfinished-in-use"
    in_use.mkdir()
    descriptor = os.open(in_use, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    write_dataset(tmp_path / "bids", small())
    os.close(descriptor)
    assert digests(tmp_path / "bids") == digests(dataset)
    assert {path.name for path in tmp_path.iterdir()} == {"bids", in_use.name}


def test_folder_with_other_content_is_refused_and_unchanged(tmp_path):
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="contains something other than a synthetic data set"):
        write_dataset(tmp_path / "bids", small())
    assert (tmp_path / "bids" / "thesis.txt").read_text() == "years of work"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seizures": 7}, "do not fit into 1 minutes; set seizures to 6"),
        ({"seizures": 1}, "set seizures to 2 or more"),
        ({"n_focal": 0, "n_generalized": 0, "n_both": 0, "n_none": 0}, "at least 1 patient"),
    ],
)
def test_invalid_configuration_is_refused(tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        write_dataset(tmp_path / "bids", small(**changed))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seizures", [2, 6])
def test_seizures_are_inside_recording_and_do_not_overlap(seizures):
    for case in draw_cases(small(seizures=seizures)):
        if case.n_seizures == 0:
            continue
        _, drawn = draw_recording(case)
        ends = [0.0, *(seizure.onset + seizure.duration for seizure in drawn)]
        onsets = [*(seizure.onset for seizure in drawn), case.n_seconds]
        assert len(drawn) == seizures
        assert all(end < onset for end, onset in zip(ends, onsets, strict=True))
        assert 0.25 < sum(seizure.duration for seizure in drawn) / case.n_seconds < 0.42


def test_truth_agrees_with_events(dataset):
    truth = pd.DataFrame(json.loads((dataset / "truth.json").read_text())["seizures"])
    participants = pd.read_csv(dataset / "participants.tsv", sep="\t")
    assert sorted(participants["group"]) == ["both", "focal", "focal", "generalized", "none"]
    kinds = {"focal": {"sz_foc"}, "generalized": {"sz_gen"}, "both": {"sz_foc", "sz_gen"}, "none": set()}
    for patient, group in participants.itertuples(index=False):
        base = dataset / patient / "eeg" / f"{patient}_task-sz"
        events = pd.read_csv(f"{base}_events.tsv", sep="\t")
        assert list(events.columns) == (
            ["onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration"]
        )
        assert set(events["eventType"]) == kinds[group]
        rows = truth[truth["patient"] == patient]
        assert set(rows["recording"]) <= {base.name}
        assert rows["onset"].tolist() == events["onset"].tolist()
        assert rows["duration"].tolist() == events["duration"].tolist()
        assert rows["event_type"].tolist() == events["eventType"].tolist()
        for seizure in rows.itertuples():
            times = [point[0] for point in seizure.track]
            assert times[0] == seizure.onset
            assert times[-1] == pytest.approx(seizure.onset + seizure.duration)
            assert set(seizure.onset_electrodes) <= set(seizure.reached_electrodes) <= set(ELECTRODES)
            assert list(seizure.delays) == seizure.reached_electrodes
            assert [name for name, delay in seizure.delays.items() if delay == 0] == seizure.onset_electrodes
            assert all(0 <= delay < seizure.duration for delay in seizure.delays.values())


def test_signal_of_a_seizure_begins_at_each_electrode_after_its_delay():
    later = 0
    for case in draw_cases(small()):
        for seizure in draw_recording(case)[1]:
            delays = seizure.truth()["delays"]
            signal = replace(seizure, profile=replace(seizure.profile, muscle=0.0)).render()
            assert [ELECTRODES[row] for row in np.flatnonzero(signal.any(axis=1))] == list(delays)
            for name, delay in delays.items():
                first = np.flatnonzero(signal[ELECTRODES.index(name)])[0] / SFREQ
                assert delay - 0.001 <= first <= delay + 2 / SFREQ
                later += delay > 0
    assert later > 20


def test_mne_reads_19_channels_of_plausible_amplitude(dataset):
    for path in dataset.glob("sub-*/eeg/*.edf"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            raw = mne.io.read_raw_edf(path, preload=True, verbose="error")
        assert raw.info["sfreq"] == 256
        assert raw.ch_names == [f"EEG {name}-REF" for name in ELECTRODES]
        assert raw.n_times == 60 * 256
        assert raw.info["meas_date"].year == 2020
        microvolts = raw.get_data() * 1e6
        deviations = microvolts.std(axis=1)
        assert deviations.min() > 5
        assert deviations.max() < 300
        assert np.abs(microvolts).max() < 3276  # no sample is clipped
        steps = microvolts / 0.1
        assert np.abs(steps - np.round(steps)).max() < 1e-6
        sidecar = json.loads(Path(str(path).replace("_eeg.edf", "_eeg.json")).read_text())
        assert sidecar["RecordingDuration"] == 60
        channels = pd.read_csv(str(path).replace("_eeg.edf", "_channels.tsv"), sep="\t")
        assert channels["name"].tolist() == raw.ch_names


def test_colored_noise_has_unit_variance_and_given_spectrum():
    freqs = np.fft.rfftfreq(BLOCK, 1 / SFREQ)
    noise = colored_noise(np.random.default_rng(0), (freqs + 1.0) ** -1.0, N_ELECTRODES, BLOCK)
    assert noise.shape == (N_ELECTRODES, BLOCK)
    assert noise.var() == pytest.approx(1.0, abs=0.05)
    welch, power = signal.welch(noise, SFREQ, nperseg=1024)
    fitted = (welch > 5) & (welch < 100)
    slope = np.polyfit(np.log(welch[fitted] + 1.0), np.log(power.mean(axis=0)[fitted]), 1)[0]
    assert slope == pytest.approx(-2.0, abs=0.05)


def test_correlation_of_mixed_noise_decreases_with_distance():
    root = spatial_root(1.0)
    covariance = root @ root.T
    row = {name: i for i, name in enumerate(ELECTRODES)}
    assert np.diag(covariance) == pytest.approx(np.ones(N_ELECTRODES))
    assert covariance[row["F3"], row["C3"]] > covariance[row["F3"], row["P3"]] > covariance[row["F3"], row["T6"]]


def test_background_is_continuous_across_blocks():
    patient = PatientProfile.draw(np.random.default_rng(3))
    blocks = list(background(patient, 2 * BLOCK + 100))
    assert [block.shape for block in blocks] == [(19, BLOCK), (19, BLOCK), (19, 100)]
    steps = np.abs(np.diff(np.concatenate(blocks, axis=1), axis=1))
    for boundary in (BLOCK - 1, 2 * BLOCK - 1):
        assert (steps[:, boundary] <= steps.max(axis=1)).all()
        assert steps[:, boundary].mean() < 2 * steps.mean()


def test_each_seizure_type_occurs_in_13_patients_by_default(default_study):
    patients = {"sz_foc": set(), "sz_gen": set()}
    for case, _, seizures in default_study:
        for seizure in seizures:
            patients[seizure.profile.event_type].add(case.patient)
    assert {kind: len(names) for kind, names in patients.items()} == {"sz_foc": 13, "sz_gen": 13}
    groups = [case.group for case, *_ in default_study]
    assert groups != sorted(groups, key=["focal", "generalized", "both", "none"].index)


@pytest.mark.parametrize("kind", ["sz_foc", "sz_gen"])
def test_power_increases_along_frequency_track_of_truth(default_study, kind):
    """Compare the onset electrodes at full amplitude with the median of the same frequencies outside seizures."""
    on_track, off_track = [], []
    for _, digital, seizures in default_study:
        if not any(seizure.profile.event_type == kind for seizure in seizures):
            continue
        freqs, times, power = signal.spectrogram(digital * MICROVOLTS_PER_STEP, SFREQ, nperseg=512, noverlap=256)
        interictal = np.ones(times.size, dtype=bool)
        for seizure in seizures:
            interictal &= (times < seizure.onset - 2) | (times > seizure.onset + seizure.duration + 2)
        baseline = np.median(power[..., interictal], axis=2)
        for seizure in (s for s in seizures if s.profile.event_type == kind):
            truth = seizure.truth()
            rows = [ELECTRODES.index(name) for name in truth["onset_electrodes"]]
            track = np.array(truth["track"])
            full = (times > seizure.onset + 0.4 * seizure.duration) & (times < track[-1, 0] - 2)
            hertz = np.interp(times[full], track[:, 0], track[:, 1])
            rise = np.log(power[rows][..., full] / baseline[rows][..., None]).mean(axis=0)
            bins = np.round(hertz * 2).astype(int)  # bins of 0.5 Hz
            on_track.append(rise[bins, np.arange(bins.size)].mean())
            off_track.append(rise[np.round(hertz * 3).astype(int), np.arange(bins.size)].mean())
    assert len(on_track) == 36
    assert freqs[1] == 0.5
    assert min(on_track) > np.log(1.3)
    assert np.median(on_track) > np.log(4)
    assert np.mean(np.array(on_track) > off_track) > 0.9


def features(study: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log band power (n_windows, 100), class 0 to 2 and patient of the windows that are not borderline."""
    pairs = [[ELECTRODES.index(name) for name in pair.split("-")] for pair in TCP.split()]
    length = WINDOW * SFREQ
    freqs = np.fft.rfftfreq(length, 1 / SFREQ)
    masks = [(freqs >= low) & (freqs < high) for low, high in BANDS]
    rows, labels, patients = [], [], []
    for case, digital, seizures in study:
        bipolar = np.stack([digital[a] * MICROVOLTS_PER_STEP - digital[b] * MICROVOLTS_PER_STEP for a, b in pairs])
        windows = bipolar.reshape(len(pairs), -1, length).transpose(1, 0, 2)
        power = np.abs(np.fft.rfft(signal.detrend(windows, type="constant") * np.hanning(length))) ** 2
        bands = np.stack([np.log(power[..., mask].mean(axis=-1)) for mask in masks], axis=-1)
        onsets = WINDOW * np.arange(len(windows))
        covered = np.zeros((len(windows), 3))
        for seizure in seizures:
            end = np.minimum(seizure.onset + seizure.duration, onsets + WINDOW)
            kind = 1 + (seizure.profile.event_type == "sz_gen")
            covered[:, kind] += np.clip(end - np.maximum(seizure.onset, onsets), 0, None)
        clear = (covered.sum(axis=1) == 0) | (covered.max(axis=1) >= WINDOW / 2)
        rows.append(bands.reshape(len(windows), -1)[clear])
        labels.append(covered.argmax(axis=1)[clear])
        patients += [case.patient] * clear.sum()
    return np.concatenate(rows), np.concatenate(labels), np.array(patients)


@pytest.mark.slow
def test_band_power_classifier_scores_in_range_and_higher_with_leakage(default_study):
    x, y, patients = features(default_study)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    by_patient = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    by_window = StratifiedKFold(5, shuffle=True, random_state=0)
    for labels, low, high in ((y, 0.62, 0.80), (y > 0, 0.65, 0.85)):
        score = balanced_accuracy_score(labels, cross_val_predict(model, x, labels, groups=patients, cv=by_patient))
        leaking = balanced_accuracy_score(labels, cross_val_predict(model, x, labels, cv=by_window))
        assert low < score < high
        assert leaking > score + 0.05
