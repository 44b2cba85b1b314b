"""Import of arrays in the per-fold layout of the earlier notebooks, read from files."""

import hashlib
import json
import pickle
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eegwf.config.data import ArrayFiles, FoldArrays
from eegwf.data.fold_arrays.importer import read_fold, tables, write_spectrogram
from eegwf.data.fold_arrays.parts import chunks
from eegwf.errors import InputError

NAMES = {0: "bckg", 1: "sz_foc", 2: "sz_gen"}
N_FREQS, N_FRAMES, N_CHANS = 5, 7, 4
FOLDS = {  # fold: patient and label of each window
    1: (["b", "b", "a", "a", "b", "a"], [0, 1, 0, 0, 2, 0]),
    2: (["c", "c", "c", "c", "c", "c"], [0, 0, 0, 1, 1, 1]),
    3: (["d", "e", "d", "e", "d", "e"], [2, 2, 2, 0, 0, 0]),
}


def config_of(folder: Path, spectrograms=("mel",), extension="npy", **changes) -> FoldArrays:
    files = {
        name: ArrayFiles(
            data=f"{folder}/{name}_{{fold}}.{extension}",
            labels=f"{folder}/{name}_labels_{{fold}}.{extension}",
            patients=f"{folder}/fold{{fold}}/{name}_patients_{{fold}}.{extension}",
        )
        for name in spectrograms
    }
    defaults = {
        "kind": "fold_arrays",
        "arrays": files,
        "n_folds": 3,
        "label_names": NAMES,
        "window_length": 20.0,
    }
    return FoldArrays(**(defaults | changes))


def values_of(fold: int, dtype="f4") -> np.ndarray:
    """Array (n_windows, n_chans, n_freqs, n_frames) of distinct values that float16 represents exactly."""
    shape = (6, N_CHANS, N_FREQS, N_FRAMES)
    return (np.arange(np.prod(shape)).reshape(shape) * (2 if fold == 2 else 1) + fold).astype(dtype)


def save(path: str, value, pickled=None) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    if pickled is None:
        np.save(path, value)
    else:
        Path(path).write_bytes(pickle.dumps(value, pickled))


def write(config: FoldArrays, folds=FOLDS, pickled=None, order="nftc") -> None:
    for files in config.arrays.values():
        for fold, (patients, labels) in folds.items():
            data = np.ascontiguousarray(values_of(fold).transpose(["ncft".index(letter) for letter in order]))
            save(files.data.format(fold=fold), data, pickled)
            save(files.labels.format(fold=fold), np.array(labels), pickled)
            save(files.patients.format(fold=fold), patients if pickled else np.array(patients, object), pickled)


def written(config: FoldArrays, tmp_path: Path, spectrogram="mel") -> tuple[np.ndarray, dict]:
    write_spectrogram(config, spectrogram, tmp_path / "out" / "s.npy", tmp_path / "out" / "s.json")
    return np.load(tmp_path / "out" / "s.npy"), json.loads((tmp_path / "out" / "s.json").read_text())


EXPECTED = np.concatenate([values_of(fold) for fold in (1, 2, 3)])


@pytest.mark.parametrize("pickled", [None, 2, 4])
@pytest.mark.parametrize("axes", ["n f t c", "n c f t"])
def test_plain_and_pickled_arrays_in_both_axis_orders(tmp_path, axes, pickled):
    config = config_of(tmp_path, axes=axes, extension="npy" if pickled is None else "pkl")
    write(config, pickled=pickled, order=axes.replace(" ", ""))
    array, axes_file = written(config, tmp_path)
    assert array.dtype == np.float16
    np.testing.assert_array_equal(array, EXPECTED)
    assert axes_file["ch_names"] == ["ch1", "ch2", "ch3", "ch4"]
    assert len(axes_file["freqs"]) == N_FREQS and len(axes_file["times"]) == N_FRAMES
    part = read_fold(config.arrays["mel"], 3, config)
    assert part.patients == FOLDS[3][0] and part.labels.tolist() == FOLDS[3][1]
    assert isinstance(part.data, np.memmap) == (pickled is None)


def test_colors_of_images_are_channels(tmp_path):
    config = config_of(tmp_path, axes="n h w 3")
    write(config)
    images = np.random.default_rng(1).integers(0, 256, (3, 6, 224, 224, 3), dtype=np.uint8)
    for fold, fold_images in enumerate(images, start=1):
        np.save(config.arrays["mel"].data.format(fold=fold), fold_images)
    array, axes_file = written(config, tmp_path)
    assert array.shape == (18, 3, 224, 224)
    for channel in range(3):
        np.testing.assert_array_equal(array[:, channel], images.reshape(18, 224, 224, 3)[..., channel])
    assert axes_file["ch_names"] == ["ch1", "ch2", "ch3"]


def test_axes_file(tmp_path):
    config = config_of(tmp_path, ("mel", "stft"), f_min=0.0, f_max=60.0)
    write(config)
    _, axes = written(config, tmp_path, "stft")
    assert list(axes) == ["spectrogram", "ch_names", "freqs", "times", "sfreq", "parameters", "sha256"]
    assert axes["freqs"] == [0, 15, 30, 45, 60] and axes["sfreq"] == 256
    np.testing.assert_allclose(axes["times"], [20 * (2 * i + 1) / 14 for i in range(7)])
    assert axes["sha256"] == hashlib.sha256(EXPECTED.astype("<f2").tobytes()).hexdigest()
    _, axes = written(config, tmp_path, "mel")
    np.testing.assert_allclose(axes["freqs"], [10, 20, 30, 40, 50])  # Slaney's scale is linear below 1 kHz
    # By definition of the scale 1 kHz is mel 15 and 6.4 kHz is mel 42, so the center of 1 to 40.96 kHz is 6.4 kHz.
    _, axes = written(config.model_copy(update={"f_min": 1000.0, "f_max": 40960.0}), tmp_path, "mel")
    np.testing.assert_allclose(axes["freqs"][2], 6400)


def test_tables(tmp_path):
    config = config_of(tmp_path, ("mel", "cwt"))
    write(config)
    recordings, windows, folds = tables(config)
    assert list(recordings) == ["recording", "patient", "path", "sfreq", "duration", "n_chans", "n_events"]
    assert recordings.values.tolist() == [
        [name, name, "", 256.0, 20.0 * n, N_CHANS, 0] for name, n in zip("abcde", (3, 3, 6, 3, 3), strict=True)
    ]
    assert list(windows) == ["window", "recording", "patient", "onset", "duration", "label", "overlap"]
    assert windows["window"].tolist() == list(range(18))
    assert windows["patient"].tolist() == [name for patients, _ in FOLDS.values() for name in patients]
    assert windows["label"].tolist() == [NAMES[label] for _, labels in FOLDS.values() for label in labels]
    assert windows["onset"].tolist()[:6] == [0, 20, 0, 20, 40, 40]
    assert set(windows["duration"]) == {20.0} and set(windows["overlap"]) == {1.0}
    assert list(folds) == ["patient", "fold", "bckg", "sz_foc", "sz_gen"]
    assert folds.values.tolist() == [
        ["a", 1, 3, 0, 0],
        ["b", 1, 1, 1, 1],
        ["c", 2, 3, 3, 0],
        ["d", 3, 1, 0, 2],
        ["e", 3, 2, 0, 1],
    ]


def test_ids_of_one_person_are_joined(tmp_path):
    config = config_of(tmp_path)
    write(config)
    recordings, windows, folds = tables(config, persons={"b": "a"})
    assert recordings["patient"].tolist() == ["a", "a", "c", "d", "e"]
    assert windows["recording"].tolist()[:3] == ["b", "b", "a"] and set(windows["patient"][:6]) == {"a"}
    assert folds.values.tolist()[0] == ["a", 1, 4, 1, 1]
    with pytest.raises(InputError, match=r"patient 'c' is in folds 2 and 3"):
        tables(config, persons={"d": "c"})


@pytest.mark.parametrize("dtype", ["i4", "f8", "S1"])
def test_patient_ids_may_be_numbers_or_bytes(tmp_path, dtype):
    config = config_of(tmp_path)
    write(config)
    np.save(config.arrays["mel"].patients.format(fold=1), np.array([7, 7, 8, 8, 7, 8]).astype(dtype).reshape(6, 1))
    assert read_fold(config.arrays["mel"], 1, config).patients == ["7", "7", "8", "8", "7", "8"]


@pytest.mark.parametrize("dtype", ["u1", "f4", "i8", "?"])
def test_labels_may_be_one_hot_or_of_any_real_type(tmp_path, dtype):
    config = config_of(tmp_path)
    write(config)
    np.save(config.arrays["mel"].labels.format(fold=1), np.eye(3)[FOLDS[1][1]].astype(dtype))
    assert read_fold(config.arrays["mel"], 1, config).labels.tolist() == FOLDS[1][1]
    np.save(config.arrays["mel"].labels.format(fold=1), np.array([1, 0, 1, 1, 0, 0], dtype))
    labels = read_fold(config.arrays["mel"], 1, config).labels
    assert labels.tolist() == [1, 0, 1, 1, 0, 0] and labels.dtype == np.int64


def with_value(value, row=None) -> np.ndarray:
    data = values_of(2).transpose(0, 2, 3, 1).copy()
    data[row, 1, 2, 3] = value
    return data


@pytest.mark.parametrize(
    ("file", "value", "message"),
    [
        ("data", None, r"mel_2\.npy: no such file; fold 2 of 3"),
        ("patients", None, r"mel_patients_2\.npy: no such file"),
        ("labels", np.zeros(5, int), r"mel_2\.npy 6, .*mel_labels_2\.npy 5, .*mel_patients_2\.npy 6"),
        ("patients", np.array(["c"] * 7), r"mel_2\.npy 6, .*mel_labels_2\.npy 6, .*mel_patients_2\.npy 7"),
        ("data", np.zeros((6, 5, 7)), r"mel_2\.npy: shape \(6, 5, 7\), expected the axes 'n f t c'"),
        (
            "data",
            np.zeros((6, 5, 7, 9)),
            r"mel_2\.npy: windows of .* \(9, 5, 7\), but .*mel_1\.npy has \(4, 5, 7\)",
        ),
        ("data", np.zeros((6, 5, 7, 4), complex), "complex128, expected real numbers"),
        ("data", np.zeros((6, 5, 7, 0)), "the array is empty"),
        ("data", with_value(np.nan, 4), r"mel_2\.npy: row 4 contains NaN or infinite"),
        ("data", with_value(-np.inf, 5), r"mel_2\.npy: row 5 contains NaN or infinite"),
        (
            "labels",
            np.array([0, 0, 3, 0, 0, 0]),
            r"labels_2\.npy: row 2 has label 3; .* 0: bckg, 1: sz_foc, 2: sz_gen",
        ),
        ("labels", np.array([0, 0, 0.5, 0, 0, 0]), r"row 2 has label 0\.5"),
        ("labels", np.eye(4, dtype=int)[[0, 1, 3, 0, 0, 0]], "row 2 has label 3"),
        ("labels", np.eye(3)[[0] * 6] * 0.5, r"row 0 is \[0\.5 0\.  0\. \]; expected one integer"),
        ("labels", np.ones((6, 3)), "one-hot"),
        ("labels", np.ones((6, 1), int), r"shape \(6, 1\); expected one integer .*ravel"),
        ("labels", np.array(["0"] * 6), "expected one integer label"),
        ("patients", np.array(["c", "c", " ", "c", "c", "c"]), "row 2 has the patient ' '"),
        ("patients", np.array(["c", "c\td", "c", "c", "c", "c"]), "row 1 has the patient"),
        ("patients", np.array([1.5] * 6), "expected the patient of each window"),
        ("patients", np.array([np.inf] * 6), "expected the patient of each window"),
        ("patients", np.array([b"\xff"] * 6), "can't be decoded"),
        ("patients", np.array(["c"] * 5 + ["a"]), "patient 'a' is in folds 1 and 2"),
        ("patients", np.zeros((3, 2)), r"shape \(3, 2\)"),
    ],
)
def test_error_names_file_and_fault(tmp_path, file, value, message):
    config = config_of(tmp_path)
    write(config)
    path = Path(getattr(config.arrays["mel"], file).format(fold=2))
    path.unlink()
    if value is not None:
        np.save(path, value)
    with pytest.raises(InputError, match=message) as error:
        tables(config)
    assert "\n" not in str(error.value)


def test_images_need_three_colors(tmp_path):
    config = config_of(tmp_path, axes="n h w 3")
    write(config)
    with pytest.raises(InputError, match="expected the axes 'n h w 3'"):
        read_fold(config.arrays["mel"], 1, config)


@pytest.mark.parametrize(
    ("patients", "labels", "message"),
    [
        (["d", "e", "e", "d", "d", "e"], FOLDS[3][1], r"patient 'd' in fold 3, row 2: .*of d, .*of e"),
        (
            FOLDS[3][0],
            [2, 2, 2, 0, 1, 0],
            "patient 'd' in fold 3, row 4: mel has bckg of d, cwt has sz_foc of d",
        ),
    ],
)
def test_spectrograms_with_different_rows_are_refused(tmp_path, patients, labels, message):
    config = config_of(tmp_path, ("mel", "cwt"))
    write(config)
    files = config.arrays["cwt"]
    np.save(files.patients.format(fold=3), np.array(patients))
    np.save(files.labels.format(fold=3), np.array(labels))
    with pytest.raises(InputError, match=message) as error:
        tables(config)
    assert "one spectrogram per study" in str(error.value)
    np.testing.assert_array_equal(written(config, tmp_path, "cwt")[0], EXPECTED)


def test_spectrogram_with_more_windows_is_refused(tmp_path):
    config = config_of(tmp_path, ("mel", "cwt"))
    write(config)
    files = config.arrays["cwt"]
    np.save(files.data.format(fold=1), np.zeros((7, N_FREQS, N_FRAMES, N_CHANS)))
    np.save(files.patients.format(fold=1), np.array([*FOLDS[1][0], "x"]))
    np.save(files.labels.format(fold=1), np.array([*FOLDS[1][1], 0]))
    with pytest.raises(InputError, match="patient 'x' in fold 1, row 6: mel has no window"):
        tables(config)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_value(70000, 3), r"mel_2\.npy: row 3 contains 70000, above the maximum of float16"),
        (with_value(np.nan, 1), r"mel_2\.npy: row 1 contains NaN"),
        (np.zeros((6, 5, 8, 4)), r"mel_2\.npy: windows of"),
    ],
)
def test_invalid_values_leave_no_file(tmp_path, data, message):
    config = config_of(tmp_path)
    write(config)
    np.save(config.arrays["mel"].data.format(fold=2), data)
    with pytest.raises(InputError, match=message):
        written(config, tmp_path)
    assert not list(tmp_path.glob("out/*")) and not list(tmp_path.glob("out/.*"))


def test_values_too_small_for_float16_are_refused(tmp_path):
    config = config_of(tmp_path)
    write(config)
    for fold in FOLDS:
        np.save(config.arrays["mel"].data.format(fold=fold), np.full((6, 5, 7, 4), 1e-11))
    with pytest.raises(InputError, match="the largest value is 1e-11"):
        written(config, tmp_path)


def test_unknown_spectrogram_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no 'stft'; choose one of mel"):
        written(config_of(tmp_path), tmp_path, "stft")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(axes=st.permutations("nftc"), size=st.integers(1, 5000), fortran=st.booleans())
def test_chunks_restore_every_axis_order(tmp_path, axes, size, fortran):
    config = config_of(tmp_path, axes=" ".join(axes))
    stored = EXPECTED.transpose(["ncft".index(letter) for letter in axes])
    np.save(tmp_path / "stored.npy", np.array(stored, order="F" if fortran else "C"))
    parts = list(chunks(np.load(tmp_path / "stored.npy", mmap_mode="r"), config, size))
    assert [row for row, _ in parts] == [sum(len(part) for _, part in parts[:i]) for i in range(len(parts))]
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), EXPECTED)


def test_a_patient_in_two_folds_in_two_unicode_spellings_is_refused(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Jürgen") for form in ("NFC", "NFD"))
    config = config_of(tmp_path)
    write(config)
    for fold, name in ((2, composed), (3, decomposed)):
        np.save(config.arrays["mel"].patients.format(fold=fold), np.array([name] * 6))
    with pytest.raises(InputError, match=f"patient '{composed}' is in folds 2 and 3"):
        tables(config)
