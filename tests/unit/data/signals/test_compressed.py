"""EDF and BDF files that are compressed with gzip."""

import gzip
import os
import tempfile

import numpy as np
import pytest

from eegwf.data.annotations.edf_plus import read_edf_annotations
from eegwf.data.signals import compressed
from eegwf.data.signals.header import header
from eegwf.errors import InputError
from tests.helpers.headers import noise, set_record_onsets, write_edf
from tests.helpers.mne_files import write_gz
from tests.helpers.short_recordings import record


@pytest.fixture(autouse=True)
def nothing_kept():
    compressed.close_kept()


def compressed_pair(tmp_path, suffix=".edf"):
    path = write_edf(tmp_path / f"a{suffix}", noise())
    return path, write_gz(tmp_path / f"a{suffix}.gz", path)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_header_and_samples_are_those_of_the_decompressed_file(tmp_path, suffix):
    plain, packed = map(header, compressed_pair(tmp_path, suffix))
    assert packed.stretches == plain.stretches and packed.names == plain.names and packed.notes == plain.notes
    for columns, start, stop in [([0, 1, 2], 0, 1280), ([2], 700, 701), ([1, 0], 3, 300)]:
        assert np.array_equal(packed.samples.read(columns, start, stop), plain.samples.read(columns, start, stop))


def test_gaps_and_annotations_are_read(tmp_path):
    path = record(tmp_path, "sub-01", annotated=True)
    set_record_onsets(path, [*range(10), *range(15, 25)])
    packed = write_gz(tmp_path / "a_eeg.edf.gz", path)
    assert header(packed).stretches == header(path).stretches and len(header(packed).stretches) == 2
    assert read_edf_annotations(packed, str, []) == read_edf_annotations(path, str, [])


def test_the_header_is_read_without_decompressing_the_samples(tmp_path, monkeypatch):
    _, packed = compressed_pair(tmp_path)
    monkeypatch.setattr(compressed, "CHUNK_BYTES", None)
    assert header(packed).n_times == 1280


def test_files_of_several_gzip_members_are_read(tmp_path):
    path, packed = compressed_pair(tmp_path)
    content = path.read_bytes()
    packed.write_bytes(gzip.compress(content[:3000]) + gzip.compress(content[3000:]) + gzip.compress(b""))
    assert np.array_equal(header(packed).samples.read([0], 0, 1280), header(path).samples.read([0], 0, 1280))


def test_files_cut_off_anywhere_are_refused(tmp_path):
    _, packed = compressed_pair(tmp_path)
    content = packed.read_bytes()
    for size in np.linspace(1, len(content) - 1, 30).astype(int):
        packed.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"cut off|shorter than a header|not compressed"):
            header(packed)


def test_content_of_another_length_or_kind_is_refused(tmp_path):
    path, packed = compressed_pair(tmp_path)
    packed.write_bytes(gzip.compress(path.read_bytes()[:-5000]))
    with pytest.raises(InputError, match="cut off: the header declares 10 data records, the file contains 3"):
        header(packed)
    packed.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="not compressed with gzip, or damaged"):
        header(packed)


def test_damage_within_the_samples_is_found_when_they_are_read(tmp_path):
    _, packed = compressed_pair(tmp_path)
    content = bytearray(packed.read_bytes())
    content[-2000] ^= 0xFF
    packed.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged within its compressed content|not compressed with gzip, or damaged"):
        header(packed).samples.read([0], 0, 1280)
    assert not compressed._KEPT


def test_a_bounded_number_of_decompressed_files_without_names_is_kept(tmp_path, monkeypatch):
    _, first = compressed_pair(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    paths = [first, *(tmp_path / f"{number}.edf.gz" for number in range(4))]
    for path in paths[1:]:
        path.write_bytes(first.read_bytes())
    samples = [header(path).samples for path in paths]
    values = [item.read([0], 0, 1280) for item in samples]
    assert all(np.array_equal(values[0], other) for other in values)
    assert len(compressed._KEPT) == compressed.MAX_KEPT and not list((tmp_path / "temporary").iterdir())
    assert np.array_equal(samples[0].read([0], 0, 1280), values[0])


def test_a_full_disk_is_an_error_of_one_line(tmp_path, monkeypatch):
    _, packed = compressed_pair(tmp_path)
    samples = header(packed).samples

    class Full:
        def write(self, _):
            raise OSError(28, os.strerror(28))

        def close(self):
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(InputError, match=r"can't be decompressed to .* \(No space left on device\); make room there"):
        samples.read([0], 0, 10)
