"""Files are written completely or not at all, and equal content has equal bytes."""

import io
import os
import stat
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.errors import InputError
from eegwf.storage.files import (
    digest,
    digest_file,
    read_array,
    read_json,
    read_table,
    replacing,
    write_array,
    write_json,
    write_table,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def mounted(tmp_path):
    """Mount a file system of 64 KiB with given options; it is unmounted at the end of the test."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join(["size=64k", *options]), "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip(f"not permitted to mount a file system: {done.stderr.strip()}")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


def test_file_is_renamed_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with replacing(path) as file:
        file.write(b"first")
        assert not path.exists()
    with replacing(path) as file:
        file.write(b"sec")
        file.flush()
        assert path.read_bytes() == b"first"
        file.write(b"ond")
    assert path.read_bytes() == b"second"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_interrupted_write_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_process_killed_during_a_write_keeps_the_old_file(root, tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    program = (
        "import os, signal, sys; from eegwf.storage.files import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=root, check=False)
    assert done.returncode == -9 and path.read_text() == "old"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("kind", ["text", "table", "array"])
def test_error_of_a_full_disk_names_the_file_and_the_old_file_is_kept(mounted, kind):
    folder = mounted()
    path = folder / "a"
    write_text(path, "old")
    write = {
        "text": lambda: write_text(path, "x" * 200_000),
        "table": lambda: write_table(path, pd.DataFrame({"x": np.arange(50_000)})),
        "array": lambda: write_array(path, np.zeros(200_000, np.float16)),
    }[kind]
    with pytest.raises(OSError, match="No space left on device") as caught:
        write()
    assert caught.value.filename == str(path)
    assert path.read_text() == "old" and names(folder) == ["a"]
    # The temporary file was removed, so smaller content fits on the disk.
    write_text(path, "x" * 30_000)


def test_file_size_limit_is_reported_in_one_line(root, tmp_path):
    """A write that the kernel refuses can be produced without special permissions by a limit of the file size."""
    program = (
        "import resource, signal, sys; import numpy as np; from eegwf.errors import run_script\n"
        "from eegwf.storage.files import write_array; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "run_script(lambda: write_array(sys.argv[1], np.zeros(100_000)))"
    )
    path = tmp_path / "a.npy"
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: {path}: File too large; no partial files were left; fix the cause and rerun"
    assert names(tmp_path) == []


def test_error_of_a_read_only_disk_names_the_file(mounted):
    folder = mounted("ro")
    for path in (folder / "a.txt", folder / "new" / "a.txt"):
        with pytest.raises(OSError, match="Read-only file system") as caught:
            write_text(path, "x")
        assert caught.value.filename == str(path)


def test_error_of_a_parent_that_is_a_file_names_the_file(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OSError) as caught:
        write_text(tmp_path / "a" / "b.txt", "x")
    assert caught.value.filename == str(tmp_path / "a" / "b.txt")


def test_error_about_another_file_names_that_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt"):
        (tmp_path / "missing.edf").read_bytes()
    assert caught.value.filename == str(tmp_path / "missing.edf")


def table():
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "patient": ["001", "NA", "", 'sub "1"', "null", "nan"],
            "value": [*rng.normal(0, 1, 3) * 10.0 ** np.array([-30, 0, 30]), np.nan, 1 / 3, 5.0],
            "count": np.array([1, -2, 3, 2**53, 0, 7]),
            "flag": [True, False, True, True, False, False],
        }
    )


def test_table_round_trips_with_nine_digits(tmp_path):
    before = table()
    write_table(tmp_path / "a.tsv", before)
    after = read_table(tmp_path / "a.tsv", ("patient", "value"), text=("patient",))
    assert after["patient"].tolist() == before["patient"].tolist()
    np.testing.assert_allclose(after["value"], before["value"], rtol=5e-9)
    assert after["value"][4] == 0.333333333  # nine digits
    assert after["count"].tolist() == before["count"].tolist()
    assert after["flag"].tolist() == before["flag"].tolist()


def test_equal_tables_have_equal_bytes(tmp_path):
    write_table(tmp_path / "a.tsv", table())
    # Reading and writing a table again does not change the file, since nine digits survive a round trip.
    write_table(tmp_path / "b.tsv", read_table(tmp_path / "a.tsv", text=("patient",)))
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert digest_file(tmp_path / "a.tsv") == digest_file(tmp_path / "b.tsv")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8), min_size=1, max_size=5))
def test_text_round_trips_except_missing_values(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("tables") / "a.tsv"
    write_table(path, pd.DataFrame({"name": cells, "row": range(len(cells))}))
    expected = ["" if cell == "n/a" else cell for cell in cells]
    assert read_table(path, text=("name",))["name"].tolist() == expected


def test_missing_values_of_bids_are_read(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("\ufeffpatient\tage\tsite\r\nNA\tn/a\tn/a\r\n007\t4\t\r\nNaN\r\n")
    read = read_table(path, ("patient",), text=("patient", "site"))
    assert read["patient"].tolist() == ["NA", "007", "NaN"]
    assert read["site"].tolist() == ["", "", ""]
    assert read["age"].isna().tolist() == [True, False, True]


def test_table_without_rows_keeps_its_columns(tmp_path):
    write_table(tmp_path / "a.tsv", table().iloc[:0])
    read = read_table(tmp_path / "a.tsv", ("value",), text=("patient",))
    assert list(read.columns) == list(table().columns) and len(read) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a tab-separated table"),
        (b"\xff\xfe\x00\x01", "not a tab-separated table"),
        (b"patient\tfold\na\t1\nb\t2\t3\n", "not a tab-separated table .*line 3"),
        # By default, pandas would use the patients as an index and read the folds as patients.
        (b"patient\tfold\na\t1\tx\nb\t2\ty\n", "more cells than the header"),
        (b"patient,fold\na,1\n", "no column 'patient', 'fold'; found patient,fold"),
    ],
)
def test_other_files_are_refused_as_tables(tmp_path, content, message):
    (tmp_path / "a.tsv").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_table(tmp_path / "a.tsv", ("patient", "fold"), text=("patient",))
    assert "\n" not in str(caught.value)


ARRAYS = [
    np.arange(24, dtype=np.float16).reshape(2, 3, 4),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(20)[::2],
    np.zeros((0, 4), np.float16),
    np.array(3.5),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_round_trip_and_equal_the_files_of_numpy(tmp_path, array):
    path = tmp_path / "a.npy"
    write_array(path, array)
    np.save(tmp_path / "numpy.npy", array)
    assert path.read_bytes() == (tmp_path / "numpy.npy").read_bytes()
    read = read_array(path)
    assert read.dtype == array.dtype and read.shape == array.shape and np.array_equal(read, array)
    assert isinstance(read, np.memmap) and not read.flags.writeable


def npy(descr, shape=(2,), data=b""):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + data


DAMAGED = {
    "empty": b"",
    "text": b"plain text that is long enough to be parsed as a header",
    "truncated header": npy("<f2")[:50],
    "truncated data": npy("<f2", (100,), bytes(199)),
    "no data": npy("<f2", (100,)),
    # numpy.memmap crashes with a floating point exception on these.
    "string of 0 bytes": npy("|S0"),
    "record of 0 bytes": npy("|V0"),
    "objects": npy("|O", (1,), bytes(8)),
    "size overflows 64 bits": npy("<f8", (2**32, 2**32)),
    "size larger than any file": npy("<f8", (2**70,)),
    "negative size": npy("<f8", (-1,), bytes(64)),
    "unknown type": npy("nonsense"),
    "header is not a dictionary": npy("<f2").replace(b"{", b"["),
    "header without closing brace": npy("<f2").replace(b"}", b" "),
    "unknown version": npy("<f2").replace(b"NUMPY\x01", b"NUMPY\x09"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_arrays_are_refused(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npy: not a complete \.npy array"):
        read_array(tmp_path / "a.npy")


def test_npz_archive_is_refused_as_an_array(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="not a complete"):
        read_array(tmp_path / "a.npz")


@given(st.data())
def test_random_damage_raises_only_input_errors(tmp_path_factory, data):
    damaged = bytearray(npy("<f2", (8, 2), np.arange(16, dtype="<f2").tobytes()))
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    with suppress(InputError):
        read_array(path).sum()


def test_error_of_a_missing_file_names_it(tmp_path):
    for read in (read_array, read_table, read_json, digest_file):
        with pytest.raises(FileNotFoundError) as caught:
            read(tmp_path / "missing")
        assert caught.value.filename == str(tmp_path / "missing") or caught.value.filename == tmp_path / "missing"


def test_json_round_trips_and_invalid_json_is_refused(tmp_path):
    value = {"b": [1, 2.5, None, "ü"], "a": {}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value and list(read_json(tmp_path / "a.json")) == ["b", "a"]
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            write_json(tmp_path / "a.json", {"x": number})
    assert read_json(tmp_path / "a.json") == value
    for content in (b"", b"{", b"\xff", b"{'a': 1}"):
        (tmp_path / "b.json").write_bytes(content)
        with pytest.raises(InputError, match=r"b\.json: not JSON"):
            read_json(tmp_path / "b.json")


def test_digests_depend_on_content_and_order(tmp_path):
    values = [{"a": ["x"], "b": ["y"]}, {"b": ["y"], "a": ["x"]}, {"a": ["x"], "b": ["z"]}, [], {}, None, "", 0, 0.5]
    assert len({digest(value) for value in values}) == len(values)
    assert digest((1, "a")) == digest([1, "a"]) and len(digest(None)) == 16
    (tmp_path / "a").write_bytes(b"abc")
    # SHA-256 of "abc", FIPS 180-4.
    assert digest_file(tmp_path / "a") == "ba7816bf8f01cfea"


def test_temporary_files_of_killed_writers_are_removed_but_not_of_running_ones(tmp_path):
    killed = "import os,signal,sys\nfrom eegwf.storage.files import replacing\n"
    killed += "with replacing(sys.argv[1]) as file:\n    file.write(b'half')\n    file.flush()\n"
    killed += "    os.kill(os.getpid(), signal.SIGKILL)\n"
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "a.tsv")], check=False)
    assert [path.name for path in tmp_path.iterdir()] != []
    with replacing(tmp_path / "a.tsv") as first:
        first.write(b"first")
        first.flush()
        assert len(list(tmp_path.iterdir())) == 1
        write_text(tmp_path / "a.tsv", "second")
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.tsv"]
    assert (tmp_path / "a.tsv").read_text() == "first"
