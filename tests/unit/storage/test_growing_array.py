"""An array that grows: what was committed is there after any end, and nothing else is."""

import hashlib
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.storage.growing_array import GrowingArray

ROWS = np.random.default_rng(1).normal(size=(12, 3, 5)).astype("<f2")


def grow(folder, upto, chunk=4, committed=True):
    """Append rows up to `upto` and commit every `chunk` of them."""
    with GrowingArray(folder, ROWS.shape, "<f2") as array:
        found = array.done
        for row in range(array.done, upto):
            array.append(ROWS[row : row + 1])
            if committed and (row + 1) % chunk == 0:
                array.commit()
        return found, array


def finish(folder, target):
    """Append what is missing and publish; how many rows were there."""
    with GrowingArray(folder, ROWS.shape, "<f2") as array:
        found = array.done
        array.append(ROWS[array.done :])
        array.commit()
        array.publish(target)
    np.testing.assert_array_equal(np.load(target), ROWS)
    assert array.sha256 == hashlib.sha256(ROWS.tobytes()).hexdigest()
    return found


def test_it_goes_on_at_the_last_commit(tmp_path):
    assert grow(tmp_path, 6)[0] == 0
    assert grow(tmp_path, 10)[0] == 4
    assert grow(tmp_path, 11)[0] == 8
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 8


def test_rows_that_were_not_committed_are_not_there(tmp_path):
    grow(tmp_path, 9, committed=False)
    assert finish(tmp_path, tmp_path / "a.npy") == 0


@pytest.mark.parametrize("name", ["array.npy", "chunks.tsv"])
@given(cut=st.integers(0, 2000))
def test_a_file_cut_anywhere_costs_the_chunks_behind(name, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    grow(folder, 12)
    path = folder / name
    size = min(cut, path.stat().st_size)
    os.truncate(path, size)
    found = finish(folder, folder / "a.npy")
    if name == "array.npy":
        header = (folder / "a.npy").stat().st_size - ROWS.nbytes
        assert found == max(0, size - header) // (4 * ROWS[0].nbytes) * 4
    else:
        assert found in (0, 4, 8, 12) and (found == 12) == (size == path.stat().st_size)


@pytest.mark.parametrize(
    ("name", "place", "there"), [("array.npy", 128, 0), ("array.npy", -1, 8), ("chunks.tsv", 3, 0), ("array.npy", 9, 0)]
)
def test_a_byte_that_changed_is_found(name, place, there, tmp_path):
    grow(tmp_path, 12)
    data = bytearray((tmp_path / name).read_bytes())
    data[place] ^= 1
    (tmp_path / name).write_bytes(data)
    assert finish(tmp_path, tmp_path / "a.npy") == there


def test_another_array_is_not_gone_on_with(tmp_path):
    grow(tmp_path, 12)
    with GrowingArray(tmp_path, (12, 5, 3), "<f2") as array:
        assert array.done == 0


def test_a_part_is_not_published(tmp_path):
    with GrowingArray(tmp_path, ROWS.shape, "<f2") as array:
        array.append(ROWS[:4])
        array.commit()
        with pytest.raises(ValueError, match="4 of 12 rows"):
            array.publish(tmp_path / "a.npy")
    assert not (tmp_path / "a.npy").exists()


def test_without_links_it_is_copied(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 0
    assert finish(tmp_path, tmp_path / "out" / "a.npy") == 12
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npy"]


def test_it_stays_until_it_is_discarded(tmp_path):
    """A job that dies between the array and what else it writes finds the array again."""
    finish(tmp_path, tmp_path / "out.npy")
    (tmp_path / "out.npy").unlink()  # as Snakemake does before it tries again
    assert finish(tmp_path, tmp_path / "out.npy") == 12
    with GrowingArray(tmp_path, ROWS.shape, "<f2") as array:
        array.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["out.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), ROWS)
