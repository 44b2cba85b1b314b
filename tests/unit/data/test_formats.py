"""Data sets in other formats than EDF give the windows of the same data set in EDF."""

import json

import numpy as np
import pytest

from eegwf.data.dataset import write_dataset_windows
from eegwf.data.signals.header import header
from tests.helpers.mne_files import (
    write_cnt,
    write_fif,
    write_gdf,
    write_gz,
    write_nihon,
    write_persyst,
    write_set,
)
from tests.helpers.short_recordings import CHANNELS, CONFIG, EVENTS, contents, reading_settings, record

# Writer, suffix, options, and the largest difference in microvolts that the steps of the format cause.
FORMATS = {
    "set": (write_set, ".set", {"fdt": True}, 0.07),
    "set-packed": (write_set, ".set", {"compress": True}, 0.07),
    "fif": (write_fif, ".fif", {}, 0.07),
    "fif-gz": (write_fif, ".fif.gz", {}, 0.07),
    "lay": (write_persyst, ".lay", {}, 0.4),
    "cnt": (write_cnt, ".cnt", {}, 0.4),
    "gdf": (write_gdf, ".gdf", {}, 0.4),
    "eeg": (write_nihon, ".eeg", {"codes": (0, 2, 4)}, 0.2),
}


def windows_of(root, output, state, workers=1):
    write_dataset_windows(reading_settings(CONFIG, root), output, state, workers, "code")
    return np.load(output / "windows.npy").astype(float)


@pytest.fixture
def edf(tmp_path):
    for patient, rows in EVENTS.items():
        record(tmp_path / "edf", patient, rows)
    return tmp_path / "edf"


def convert(edf, root, write):
    """Copy a data set with other files in place of its recordings."""
    for path in sorted(edf.rglob("*_eeg.edf")):
        folder = root / path.relative_to(edf).parent
        folder.mkdir(parents=True)
        events = path.with_name(path.name.replace("_eeg.edf", "_events.tsv"))
        (folder / events.name).write_bytes(events.read_bytes())
        write(folder, path)
    return root


@pytest.mark.parametrize("name", FORMATS)
def test_windows_are_those_of_edf_files(tmp_path, edf, name):
    write, suffix, options, difference = FORMATS[name]

    def written(folder, path):
        head = header(path)
        data = head.samples.read(range(len(CHANNELS)), 0, head.n_times)
        chosen = dict(options) | ({"fdt": f"{path.stem}.fdt"} if "fdt" in options else {})
        names = {} if name == "eeg" else {"names": CHANNELS}
        write(folder / f"{path.stem}{suffix}", data, sfreq=int(head.sfreq), **chosen, **names)

    expected = windows_of(edf, tmp_path / "expected", tmp_path / "state")
    root = convert(edf, tmp_path / "other", written)
    found = windows_of(root, tmp_path / "found", tmp_path / "state2", workers=1 + (name == "gdf"))
    assert found.shape == expected.shape and np.abs(found - expected).max() < difference
    for table in ("windows.tsv", "events.tsv"):
        assert (tmp_path / "found" / table).read_bytes() == (tmp_path / "expected" / table).read_bytes()


def test_windows_of_compressed_files_are_the_same_bytes(tmp_path, edf):
    windows_of(edf, tmp_path / "expected", tmp_path / "state")
    root = convert(edf, tmp_path / "other", lambda folder, path: write_gz(folder / f"{path.name}.gz", path))
    windows_of(root, tmp_path / "found", tmp_path / "state2", workers=2)
    expected, found = contents(tmp_path / "expected"), contents(tmp_path / "found")
    expected["recordings.tsv"] = expected["recordings.tsv"].replace(b"_eeg.edf", b"_eeg.edf.gz")
    assert found == expected


def test_a_changed_data_file_is_read_again(tmp_path, edf):
    def written(folder, path):
        head = header(path)
        data = head.samples.read(range(len(CHANNELS)), 0, head.n_times)
        write_set(folder / f"{path.stem}.set", data, CHANNELS, int(head.sfreq), fdt="x.fdt")

    root = convert(edf, tmp_path / "other", written)
    before = windows_of(root, tmp_path / "found", tmp_path / "state")
    data = root / "sub-02/eeg/x.fdt"
    data.write_bytes((np.frombuffer(data.read_bytes(), "<f4") * 2).tobytes())
    after = windows_of(root, tmp_path / "again", tmp_path / "state")
    n_windows = len(before) // len(EVENTS)
    assert np.allclose(after[n_windows : 2 * n_windows], 2 * before[n_windows : 2 * n_windows], atol=0.2)
    assert np.array_equal(np.delete(after, np.s_[n_windows : 2 * n_windows], 0), np.delete(
        before, np.s_[n_windows : 2 * n_windows], 0))  # fmt: skip
    notes = (tmp_path / "again/recordings.tsv").read_text()
    assert (
        "names the data file" not in notes and json.loads((tmp_path / "again/windows.json").read_text())["sfreq"] == 64
    )
