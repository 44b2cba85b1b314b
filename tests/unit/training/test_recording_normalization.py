"""Inputs normalized by recording, by level and clipped: which windows they read, and that all readers get one input."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from eegwf.config.training import RECORDING_NORMALIZATIONS, Training
from eegwf.data.splits import load_window_set, split
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_table, write_array, write_json, write_table
from eegwf.training.batch_loader import BatchLoader, shared_batch_loader
from eegwf.training.classifier import load_classifier, predict, save_classifier
from eegwf.training.inference import predict_rows
from eegwf.training.loop import train
from eegwf.training.normalization import Normalization
from eegwf.training.recording_normalization import input_for
from eegwf.training.recording_statistics import RecordingScale
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, write_study

VIT = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "lr": 3e-3}
KINDS = ("recording", "recording_causal", "level", "aligned")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose recordings also have a borderline window and one of a type without a class, out of order."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    table = read_table(folder / "windows.tsv", text=("recording", "patient", "label"))
    table["label"] = table["label"].mask(table["onset"] == 4.0, "").mask(table["onset"] == 8.0, "artifact")
    rng = np.random.default_rng(1)
    order = rng.permutation(len(table))
    table = table.iloc[order].assign(window=range(len(table)))
    write_table(folder / "windows.tsv", table)
    write_array(folder / "mel.npy", np.array(read_array(folder / "mel.npy"))[order] * np.float16(3) - np.float16(20))
    write_array(folder / "windows.npy", rng.normal(0, 30, (len(table), 3, 64)).astype(np.float16))
    axes = {"sfreq": 16.0, "n_times": 64, "ch_names": ["ch0", "ch1", "ch2"], "sha256": "1" * 64}
    write_json(folder / "windows.json", axes)
    return folder


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


def open_dataset(study, kind="recording", folder=None):
    name = "windows.npy" if kind == "aligned" else "mel.npy"
    return SpectrogramDataset([(folder or study) / name], study / "windows.tsv")


def run(dataset, window_set, kind, **settings):
    torch.set_num_threads(1)
    model, parameters = ("eegnet", {"lr": 1e-2}) if kind == "aligned" else ("vit", VIT)
    training = Training(epochs=2, patience=2, batch_size=16, **{"normalization": kind, **settings})
    return train(model, dataset, split(window_set, 1), parameters, training, seed=1)


def weight_bytes(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def rows_of(study, recording):
    table = read_table(study / "windows.tsv", text=("recording", "patient", "label"))
    return table[table["recording"] == recording].sort_values("onset")["window"].to_numpy()


def test_statistics_are_those_of_all_windows_of_the_recording(study):
    dataset = open_dataset(study)
    rows = rows_of(study, "sub-02_eeg")
    scale = RecordingScale()
    scale.add(dataset.read(rows).numpy())
    expected = scale.result()(dataset.read(rows[3:5])).half()
    assert len(rows) == 24 and torch.equal(input_for(dataset, "recording").half(rows[3:5]), expected)
    assert torch.equal(input_for(dataset, "recording").read(rows[3:5]), expected.float())


def test_causal_input_of_a_window_depends_on_no_later_one(study, tmp_path):
    rows = rows_of(study, "sub-02_eeg")
    changed = np.array(read_array(study / "mel.npy"))
    changed[rows[10:]] = np.nan
    write_array(tmp_path / "mel.npy", changed)
    before = input_for(open_dataset(study), "recording_causal").half(rows[:10])
    after = input_for(open_dataset(study, folder=tmp_path), "recording_causal").half(rows[:10])
    assert torch.equal(before, after)
    whole = input_for(open_dataset(study, folder=tmp_path), "recording").half(rows[:10])
    assert whole.isnan().all()


@pytest.mark.parametrize("kind", RECORDING_NORMALIZATIONS)
def test_rows_have_the_same_bits_in_any_order_and_company(study, kind):
    source = input_for(open_dataset(study, kind), kind)
    rows = np.random.default_rng(2).permutation(144)
    together = source.half(rows)
    assert together.dtype == torch.float16
    for number in (0, 7, 143):
        assert torch.equal(
            input_for(open_dataset(study, kind), kind).half(rows[number : number + 1])[0], together[number]
        )
    assert source.half(rows[:0]).shape == (0, *source.shape.values())
    loader = BatchLoader(source, rows, "cpu", resident=True)
    assert torch.equal(loader.read(rows), together.float())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", [None, 1.5])
def test_nan_in_the_test_fold_changes_no_weight(study, window_set, tmp_path, kind, clip):
    whole = run(open_dataset(study, kind), window_set, kind, input_clip=clip)
    table = read_table(study / "windows.tsv", text=("recording", "patient", "label"))
    folds = read_table(study / "folds.tsv", text=("patient",))
    tested = table[table["patient"].isin(folds[folds["fold"] == 1]["patient"])]["window"]
    for name in ("mel.npy", "windows.npy"):
        poisoned = np.array(read_array(study / name))
        poisoned[tested] = np.nan
        write_array(tmp_path / name, poisoned)
        shutil.copy((study / name).with_suffix(".json"), tmp_path)
    again = run(open_dataset(study, kind, tmp_path), window_set, kind, input_clip=clip)
    assert weight_bytes(again.classifier) == weight_bytes(whole.classifier)
    assert whole.classifier.normalization.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_classifier_reads_the_input_that_it_names(study, window_set, tmp_path, kind):
    dataset = open_dataset(study, kind)
    trained = run(dataset, window_set, kind, input_clip=2.0).classifier
    parameters = {} if kind == "aligned" else {name: value for name, value in VIT.items() if name != "lr"}
    description = {
        "model": "eegnet" if kind == "aligned" else "vit",
        "shape": {**dataset.shape, "n_outputs": 3},
        "parameters": parameters,
        "axes": {"sfreq": 16.0},
        "normalization": trained.normalization.kind,
        "input_clip": trained.normalization.clip,
    }
    save_classifier(tmp_path, trained, description)
    loaded, _ = load_classifier(tmp_path)
    rows = np.arange(40)
    fresh = open_dataset(study, kind)
    assert torch.equal(predict_rows(loaded, fresh, rows), predict_rows(trained, dataset, rows))
    expected = predict(trained, input_for(fresh, kind), rows, BatchLoader(input_for(fresh, kind), rows, "cpu"))
    assert torch.equal(predict(loaded, open_dataset(study, kind), rows), expected)
    assert loaded.normalization.clip == 2.0 and loaded.normalization(100 * dataset.read(rows)).abs().max() == 2


def test_each_kind_and_the_limit_change_the_weights(study, window_set):
    kinds = ("patients", "level", "recording", "recording_causal")
    found = [weight_bytes(run(open_dataset(study), window_set, kind).classifier) for kind in kinds]
    found.append(weight_bytes(run(open_dataset(study), window_set, "patients", input_clip=1.0).classifier))
    network = [{name: value for name, value in weights.items() if "network" in name} for weights in found]
    assert all(one != other for number, one in enumerate(network) for other in network[:number])


def test_trials_of_different_kinds_share_one_loader(study):
    dataset, rows = open_dataset(study), np.arange(20)
    first = shared_batch_loader(dataset, rows, "cpu")
    by_recording = input_for(dataset, "recording")
    second = shared_batch_loader(by_recording, rows, "cpu")
    assert second is not first and dataset.shared_loader is second
    assert shared_batch_loader(by_recording, rows, "cpu") is second
    assert not torch.equal(first.read(rows), second.read(rows))
    assert input_for(by_recording, "patients") is dataset and input_for(by_recording, "recording") is by_recording


def test_arrays_without_their_table_are_refused(study):
    with pytest.raises(InputError, match=r"mel.npy: training.normalization recording needs .*windows.tsv"):
        input_for(SpectrogramDataset([study / "mel.npy"]), "recording")


def test_spectrograms_are_not_aligned(study):
    with pytest.raises(InputError, match="aligned is for raw, the time series, but the input has 10 frequencies"):
        input_for(open_dataset(study), "aligned")


def test_recordings_are_named_as_text(study, tmp_path):
    table = pd.DataFrame({"window": [0, 1, 2], "recording": ["01", "1", "01"], "onset": [4.0, 0.0, 0.0]})
    write_table(tmp_path / "windows.tsv", table)
    dataset = SpectrogramDataset([study / "mel.npy"], tmp_path / "windows.tsv")
    scale = RecordingScale()
    scale.add(dataset.read(np.array([0, 2])).numpy())
    assert torch.equal(input_for(dataset, "recording").half([2]), scale.result()(dataset.read([2])).half())


def level(dataset, rows):
    normalization = Normalization("level", dataset.n_chans, dataset.n_freqs)
    normalization.fit(BatchLoader(dataset, rows, "cpu"), rows)
    return normalization


def test_level_removes_the_gain_and_keeps_the_differences_between_channels(study, tmp_path):
    dataset, rows = open_dataset(study), np.arange(60)
    normalization = level(dataset, rows)
    x = dataset.read(np.arange(70))
    out = normalization(x)
    assert torch.allclose(normalization(x + 20), out, atol=1e-4)
    louder = x.clone()
    louder[:, 0] += 20
    assert (normalization(louder) - out).abs().mean() > 0.5
    assert out[:60].mean(dim=(0, 3)).abs().max() < 1e-3
    assert torch.allclose(out[:60].std(dim=(0, 3)), torch.ones(3, 10), atol=1e-2)


def test_level_of_stacked_spectrograms_is_that_of_each(study):
    arrays = [study / "mel.npy", study / "mel.npy"]
    stacked, single, rows = SpectrogramDataset(arrays, study / "windows.tsv"), open_dataset(study), np.arange(60)
    normalization, x = level(stacked, rows), stacked.read(rows)
    expected = level(single, rows)(single.read(rows))
    x[:, 3:] += 40
    torch.testing.assert_close(normalization(x), expected.repeat(1, 2, 1, 1), atol=1e-4, rtol=1e-4)


def test_level_of_time_series_divides_by_their_deviation(study):
    dataset, rows = open_dataset(study, "aligned"), np.arange(60)
    normalization = level(dataset, rows)
    x = dataset.read(rows)
    assert torch.allclose(normalization(7 * x), normalization(x), atol=1e-4)
    assert torch.allclose(normalization(x).std(dim=(0, 3)), torch.ones(3, 1), atol=1e-2)
    assert normalization(torch.zeros_like(x)).isfinite().all()


def test_statistics_of_two_kinds_are_kept_apart(study):
    dataset, rows = open_dataset(study), np.arange(60)
    loader = BatchLoader(dataset, rows, "cpu")
    means = []
    for kind in ("patients", "level", "patients"):
        normalization = Normalization(kind, dataset.n_chans, dataset.n_freqs)
        normalization.fit(loader, rows)
        means.append(normalization.mean)
    assert torch.equal(means[0], means[2]) and not torch.allclose(means[0], means[1], atol=1)


@pytest.mark.parametrize("kind", ["window", "patients", "recording"])
def test_clip_limits_the_normalized_input_alone(kind):
    x = torch.linspace(-50, 50, 240).reshape(2, 3, 4, 10)
    plain, clipped = Normalization(kind, 3, 4)(x), Normalization(kind, 3, 4, clip=0.5)(x)
    assert torch.equal(clipped, plain.clamp(-0.5, 0.5)) and clipped.abs().max() == 0.5
    assert torch.equal(Normalization("none", 3, 4, clip=0.5)(x), x)
