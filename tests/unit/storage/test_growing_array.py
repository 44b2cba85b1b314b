"""After any interruption, an array contains the committed rows and nothing else."""

import hashlib
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.storage.growing_array import GrowingArray

ROWS = np.random.default_rng(1).normal(size=(12, 3, 5)).astype("<f2")


def grow(folder, stop, chunk=4, committed=True):
    """Append rows up to `stop` and commit after every `chunk` rows; returns the number of rows at the start."""
    with GrowingArray(folder, ROWS.shape, "<f2") as array:
        before = array.done
        for row in range(array.done, stop):
            array.append(ROWS[row : row + 1])
            if committed and (row + 1) % chunk == 0:
                array.commit()
        return before


def finish(folder, target):
    """Append the missing rows and publish the array; returns the number of rows at the start."""
    with GrowingArray(folder, ROWS.shape, "<f2") as array:
        before = array.done
        array.append(ROWS[array.done :])
        array.commit()
        array.publish(target)
    np.testing.assert_array_equal(np.load(target), ROWS)
    assert array.sha256 == hashlib.sha256(ROWS.tobytes()).hexdigest()
    return before


def test_array_continues_at_the_last_commit(tmp_path):
    assert grow(tmp_path, 6) == 0
    assert grow(tmp_path, 10) == 4
    assert grow(tmp_path, 11) == 8
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 8


def test_rows_that_were_not_committed_are_removed(tmp_path):
    grow(tmp_path, 9, committed=False)
    assert finish(tmp_path, tmp_path / "a.npy") == 0


@pytest.mark.parametrize("name", ["array.npy", "chunks.tsv"])
@given(length=st.integers(0, 2000))
def test_truncated_file_loses_only_the_chunks_after_the_truncation(name, length, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    grow(folder, 12)
    path = folder / name
    size = min(length, path.stat().st_size)
    os.truncate(path, size)
    kept = finish(folder, folder / "a.npy")
    if name == "array.npy":
        header = (folder / "a.npy").stat().st_size - ROWS.nbytes
        assert kept == max(0, size - header) // (4 * ROWS[0].nbytes) * 4
    else:
        assert kept in (0, 4, 8, 12) and (kept == 12) == (size == path.stat().st_size)


@pytest.mark.parametrize(
    ("name", "position", "kept"),
    [("array.npy", 128, 0), ("array.npy", -1, 8), ("chunks.tsv", 3, 0), ("array.npy", 9, 0)],
)
def test_changed_byte_invalidates_its_chunk_and_the_later_ones(name, position, kept, tmp_path):
    grow(tmp_path, 12)
    data = bytearray((tmp_path / name).read_bytes())
    data[position] ^= 1
    (tmp_path / name).write_bytes(data)
    assert finish(tmp_path, tmp_path / "a.npy") == kept


def test_array_of_another_shape_starts_from_zero(tmp_path):
    grow(tmp_path, 12)
    with GrowingArray(tmp_path, (12, 5, 3), "<f2") as array:
        assert array.done == 0


def test_incomplete_array_is_not_published(tmp_path):
    with GrowingArray(tmp_path, ROWS.shape, "<f2") as array:
        array.append(ROWS[:4])
        array.commit()
        with pytest.raises(ValueError, match="4 of 12 rows"):
            array.publish(tmp_path / "a.npy")
    assert not (tmp_path / "a.npy").exists()


def test_array_is_copied_if_links_are_not_supported(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 0
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 12
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npy"]


def test_array_is_kept_until_it_is_discarded(tmp_path):
    """A job that is killed after publishing the array, but before its other outputs, finds the array again."""
    finish(tmp_path, tmp_path / "out.npy")
    (tmp_path / "out.npy").unlink()  # as Snakemake does before it starts a job again
    assert finish(tmp_path, tmp_path / "out.npy") == 12
    with GrowingArray(tmp_path, ROWS.shape, "<f2") as array:
        array.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["out.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), ROWS)
