"""The job `explain`: its files, and that it finds what a model reads."""

import numpy as np
import pandas as pd
import pytest
import torch

from eegwf.attribution.attribute import Context, attribute
from eegwf.attribution.cells import make_cells
from eegwf.attribution.methods import CONTROLS
from eegwf.config.fold_paths import AttributionPaths
from eegwf.config.stages.model import ExplainSettings
from eegwf.jobs import explain
from eegwf.storage.files import read_array, read_json, read_table, write_array, write_json, write_table
from eegwf.training.classifier import save_classifier
from tests.helpers.planted import CLASSES, SHAPE, trained_on, write_planted

PARAMETERS = {"patch_freqs": 3, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "layout": "mosaic"}
METHODS = ["saliency", "integrated_gradients", "gradcam", "attention_rollout", "deeplift", "occlusion"]
N_TIMES = 256


def settings(**changes) -> ExplainSettings:
    given = {
        "methods": METHODS,
        "max_windows_per_class": 10,
        "max_similarity_windows_per_class": 3,
        "n_steps": 64,
        **changes,
    }
    return ExplainSettings(
        device="cpu", threads=1, deterministic=True, seed=1, classes=CLASSES, explanation=given, rank=1
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Windows whose classes differ in the third channel, and two trained models."""
    folder = write_planted(tmp_path_factory.mktemp("study"), "channel")
    rng = np.random.default_rng(0)
    write_array(folder / "windows.npy", rng.normal(0, 30, (192, SHAPE[0], N_TIMES)).astype(np.float16))
    names = read_json(folder / "mel.json")["ch_names"]
    write_json(folder / "windows.json", {"sfreq": 64.0, "n_times": N_TIMES, "ch_names": names, "sha256": "1" * 64})
    for rank in (1, 2):
        classifier, dataset, _ = trained_on(folder, "vit", PARAMETERS, epochs=10 + rank)
        description = {
            "model": "vit",
            "shape": {**dataset.shape, "n_outputs": 2},
            "parameters": PARAMETERS,
            "normalization": "patients",
            "training": {"epochs": 10, "patience": 10, "batch_size": 16, "lr": 5e-3, "monitor": "loss"},
            "seed": 1,
            "fold": 1,
            "rank": rank,
        }
        save_classifier(folder / f"rank{rank}", classifier, description)
    return folder


def run(study, output, given=None, windows=None, **files) -> AttributionPaths:
    explain.run(
        settings=given or settings(),
        name="vit_mel_2class_fold1",
        fold=1,
        windows=windows or study / "windows.tsv",
        folds=study / "folds.tsv",
        arrays=[study / "mel.npy"],
        models=[study / f"rank{rank}" / "model.json" for rank in (1, 2)],
        output=output,
        **files,
    )
    return AttributionPaths(output)


@pytest.fixture(scope="module")
def paths(study, tmp_path_factory):
    return run(study, tmp_path_factory.mktemp("explain"))


def test_every_file_has_the_declared_shape(paths):
    assert all(path.exists() for path in paths.files)
    about, windows = read_json(paths.description), read_table(paths.windows, text=("label", "predicted", "example"))
    methods = [method for method in METHODS if method != "deeplift"] + list(CONTROLS)
    assert about["methods"] == methods and about["n_windows"] == [10, 10] and about["member"] == "rank1"
    assert about["refused"]["deeplift"].startswith("DeepLift: not defined for vit")
    n_examples = int((windows["example_index"] >= 0).sum())
    assert n_examples == about["examples"] >= 2
    assert read_array(paths.means).shape == (7, 2, 2, *SHAPE[:2])
    assert read_array(paths.mean_inputs).shape == (2, 2, *SHAPE[:2])
    examples = read_array(paths.examples)
    assert examples.shape == (7, n_examples, *SHAPE) and np.abs(examples).max() == 1
    assert read_array(paths.example_inputs).shape == (n_examples, *SHAPE)
    assert read_array(paths.example_signals).shape == (0, 2, 0, 0) and about["signal"] is False
    assert read_array(paths.window_relevance).shape == (0, 0, 0)
    assert set(read_table(paths.timing, text=("method",))["method"]) >= {*methods, "comparison of maps"}


def test_means_are_those_of_the_windows(paths, study):
    windows = read_table(paths.windows, text=("label", "predicted"))
    array = read_array(study / "mel.npy").astype(float)
    for number, label in enumerate(CLASSES):
        for outcome, name in enumerate(("correct", "wrong")):
            rows = windows[(windows["label"] == label) & (windows["outcome"] == name)]["window"].to_numpy()
            found = read_array(paths.mean_inputs)[number, outcome]
            if len(rows):
                np.testing.assert_allclose(found, array[rows].mean(axis=(0, 3)), atol=1e-4)
            else:
                assert np.isnan(found).all()


def evidence_of(paths) -> pd.DataFrame:
    table = read_table(paths.evidence, text=("method", "measure", "target", "patient"))
    table = table[table["target"] == "seizure"]
    return table.pivot_table("value", "method", "measure")


def test_methods_that_find_what_the_model_reads_beat_the_random_map(paths):
    found = evidence_of(paths)
    for method in ("integrated_gradients", "occlusion"):
        assert found.loc[method, "deletion"] < found.loc["random", "deletion"] - 0.1
        assert found.loc[method, "insertion"] > found.loc["random", "insertion"] + 0.1
    assert (found["before"] == found["before"].iloc[0]).all()
    assert found.loc["integrated_gradients", "completeness"] < 0.1
    about = read_json(paths.description)
    means = read_array(paths.means)[about["methods"].index("integrated_gradients"), 1, 0]
    assert means.mean(axis=1).argmax() == 2  # the third channel


def test_maps_of_a_randomized_model_are_not_similar(paths):
    found = evidence_of(paths)
    assert found.loc["integrated_gradients", "cascade_4"] < 0.5
    # A model trained on true labels, the other rank, has similar maps.
    method = found.loc["integrated_gradients"]
    assert method["label_randomized"] < method["other_rank"] - 0.3
    assert (found.loc[list(CONTROLS), ["cascade_4", "label_randomized", "other_rank"]] == 1).all(axis=None)
    assert "other_class" not in found  # with two classes the contrasts are negatives of each other


def test_the_same_bytes_again(paths, study, tmp_path):
    again = run(study, tmp_path)
    for path, other in zip(paths.files, again.files, strict=True):
        assert path == paths.timing or path.read_bytes() == other.read_bytes(), path.name


def test_signal_and_truth(study, tmp_path):
    seizures = [
        {
            "recording": f"sub-{patient:02d}_eeg",
            "onset": 4.0 * number + 1,
            "duration": 2.0,
            "delays": {"F8": 0.0},
            "track": [[4.0 * number + 1, 6.0], [4.0 * number + 3, 6.0]],
        }
        for patient in (0, 3)
        for number in range(1, 32, 2)
    ]
    write_json(tmp_path / "truth.json", {"seizures": seizures})
    grid = {"n_freqs": SHAPE[1], "n_frames": SHAPE[2], "f_max": 30.0}
    described = read_json(study / "mel.json")
    write_json(study / "mel.json", {**described, "parameters": grid})
    try:
        given = settings(methods=["integrated_gradients"], label_randomization=False)
        paths = run(study, tmp_path / "explain", given, signals=study / "windows.npy", truth=tmp_path / "truth.json")
    finally:
        write_json(study / "mel.json", described)
    about, found = read_json(paths.description), evidence_of(paths)
    assert about["signal"] and about["truth"] and about["sfreq"] == 64
    signals = read_array(paths.example_signals)
    assert signals.shape == (about["examples"], 2, SHAPE[0], N_TIMES) and np.isfinite(signals).all()
    # The columns of the examples are sums of the relevance of their samples, relative to the largest.
    examples = read_table(paths.windows, text=("label", "predicted", "example"))["example_index"].to_numpy()
    columns = read_array(paths.window_relevance)
    assert columns.shape == (len(examples), SHAPE[0], N_TIMES * 4 // 64)
    for window in np.flatnonzero(examples >= 0):
        sums = signals[examples[window], 1].reshape(SHAPE[0], -1, 16).sum(axis=-1)
        np.testing.assert_allclose(columns[window], sums / np.abs(sums).max(), atol=2e-3)
    assert {"deletion_channels", "deletion_bands", "deletion_seconds"} <= set(found)
    # The seizure has reached F8-T8 alone, the channel that the model reads.
    assert found.loc["integrated_gradients", "auroc_channels"] == 1
    assert found.loc["random", "auroc_channels"] < 1
    assert "label_randomized" not in found


def test_explained_rank_is_the_configured_one(study, tmp_path):
    given = settings(methods=["saliency"], label_randomization=False).model_copy(update={"rank": 2})
    assert read_json(run(study, tmp_path, given).description)["member"] == "rank2"


def test_cells_divide_a_window_into_channels_bands_and_seconds(study):
    described = [read_json(study / "mel.json")]
    cells = make_cells(described, 1.0)
    assert cells.shape == (4, 4, 4) and cells.band_names == ("delta", "theta", "alpha", "beta")
    assert (cells.n_bins == 12).all()  # three frequencies x four frames
    np.testing.assert_allclose(cells.intervals, [[0, 1], [1, 2], [2, 3], [3, 4]])
    maps = torch.arange(4 * 12 * 16.0).reshape(1, 4, 12, 16)
    means = cells.mean(maps)
    assert means[0, 1, 2, 3] == maps[0, 1, 6:9, 12:16].mean()
    assert torch.equal(cells.mean(cells.expand(means)), means)
    assert make_cells(described, 100).shape == (4, 4, 1)
    assert make_cells(described, 0.01).shape == (4, 4, 16)  # not finer than the frames


def test_bands_without_a_frequency_are_joined():
    part = {"ch_names": ["a"], "times": [0.5, 1.5]}
    cells = make_cells([part | {"freqs": [6.0, 7.0, 20.0]}, part | {"freqs": [2.0, 5.0, 25.0]}], 1.0)
    # The first spectrogram has no delta, both have no alpha and gamma.
    assert cells.band_names == ("theta", "beta")
    assert cells.band.tolist() == [[0, 0, 1], [0, 0, 1]]
    raw = make_cells([part | {"freqs": None}], 1.0)
    assert raw.band_names == ("broadband",) and raw.shape == (1, 1, 2)


def test_attribute_returns_maps_without_a_graph(study):
    classifier, dataset, _ = trained_on(study, "vit", PARAMETERS, epochs=1)
    context = Context(dataset.read(np.array([0, 2])), make_cells(dataset.described, 1.0), seed=0)
    maps = attribute("saliency", classifier, dataset.read(np.array([1])), torch.tensor([1]), context)
    assert maps.shape == (1, *SHAPE) and not maps.requires_grad


def test_fold_without_windows_that_have_a_class(study, tmp_path):
    windows = read_table(study / "windows.tsv", text=("recording", "patient", "label"))
    windows.loc[windows["patient"].isin(["sub-00", "sub-03"]), "label"] = ""
    write_table(tmp_path / "windows.tsv", windows)
    given = settings(methods=["saliency"], label_randomization=False)
    paths = run(study, tmp_path / "explain", given, windows=tmp_path / "windows.tsv")
    assert read_table(paths.windows).empty and read_table(paths.evidence).empty
    assert np.isnan(read_array(paths.means)).all() and read_json(paths.description)["examples"] == 0
