"""Pickles and `.npy` files of arrays and containers are read unchanged."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.fold_arrays.stacking import stack_nested
from eegwf.data.fold_arrays.unpickle import read_array_file, read_object
from eegwf.errors import InputError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ARRAYS = {
    "float32": np.linspace(-1, 1, 24, dtype="f4").reshape(2, 3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "strided": np.arange(20)[::3],
    "big-endian": np.arange(5, dtype=">i4"),
    "float16": np.array([1.5, np.nan, np.inf], "f2"),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "uint8": np.arange(12, dtype="u1").reshape(2, 2, 3),
    "text": np.array(["sub-1", "Jürgen", ""]),
    "bytes": np.array([b"a", b"bcd\xff"]),
    "0-d": np.array(3.0),
    "empty": np.zeros((0, 4), "f4"),
}


def objects(*items) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


def same(a, b) -> bool:
    """Whether two objects are equal in type, dtype, shape and values, including the elements of containers."""
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.kind == "O":
            return all(same(x, y) for x, y in zip(a.flat, b.flat, strict=True))
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_pickled_array_is_read_unchanged(tmp_path, name, protocol):
    path = tmp_path / "labels.pkl"
    path.write_bytes(pickle.dumps(ARRAYS[name], protocol))
    assert same(ARRAYS[name], read_array_file(path))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickled_containers_are_read_unchanged(tmp_path, protocol):
    shared = np.arange(3)
    value = {
        "list": [1, -(2**70), 2.5, 1j, True, None, b"ab\xff", b"", "ß", shared, shared],
        "tuple": (np.float32(1.5), np.int64(-3), np.bool_(True), np.str_("a"), np.str_(""), ()),
        3: {"sets": [{1, 2}, frozenset([3]), set()]},
        np.int64(4): objects(np.zeros(2), "text", None, {"a": np.ones((2, 2), order="F")}, [[1], []]),
        "2-d": np.asfortranarray(objects(1, "a", None, 2.0).reshape(2, 2)),
    }
    path = tmp_path / "any.thing"
    path.write_bytes(pickle.dumps(value, protocol))
    assert same(value, read_object(path))


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_file_of_objects_is_read_unchanged(tmp_path, order):
    path = tmp_path / "patients.npy"
    value = np.array(objects("sub-1", 2, None, np.ones(3)).reshape(2, 2), order=order)
    np.save(path, value)
    assert same(np.load(path, allow_pickle=True), read_object(path))
    np.save(path, {"a": 1})
    assert read_object(path).item() == {"a": 1}


@pytest.mark.parametrize("name", ARRAYS)
def test_plain_npy_file_is_read_only_memory_map(tmp_path, name):
    path = tmp_path / "data.npy"
    np.save(path, ARRAYS[name])
    array = read_array_file(path)
    assert same(ARRAYS[name], np.asarray(array))
    assert isinstance(array, np.memmap) and not array.flags.writeable


def test_objects_of_equal_shape_are_stacked(tmp_path):
    path = tmp_path / "stack.npy"
    windows = [np.full((2, 3), i, "f4") for i in range(4)]
    for value in (objects(*windows), windows, tuple(windows), [windows[:2], windows[2:]]):
        path.write_bytes(pickle.dumps(value))
        expected = np.array(windows).reshape(2, 2, 2, 3) if len(value) == 2 else np.array(windows)
        assert same(expected, read_array_file(path))
    np.save(path, objects("sub-1", "sub-22"))
    assert read_array_file(path).tolist() == ["sub-1", "sub-22"]
    path.write_bytes(pickle.dumps([np.int64(1), 2, True]))
    assert read_array_file(path).tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([np.zeros(2), np.zeros(2), np.zeros(3)], r"number 0 is \(2,\), 2 is \(3,\)"),
        ([[1, 2], [3]], "differ in shape"),
        ([1, "a"], "number 1"),
        (["a", None], "None"),
        ([1, 2**80], "64 bits"),
        ({"x": np.zeros(2), "y": 1}, "dict with 2 entries: 'x', 'y'"),
        ({1, 2}, "set"),
        (None, "None"),
    ],
)
def test_value_that_is_not_one_array_is_refused(tmp_path, value, message):
    path = tmp_path / "ragged.npy"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match=message) as error:
        read_array_file(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


PYTHON2_ARRAY = (  # cPickle.dumps(numpy.array([1, -2, 3], 'i2')) of Python 2.7, protocols 0 and 2
    b"cnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntS'b'\ntRp3\n(I1\n(I3\ntcnumpy\n"
    b"dtype\np4\n(S'i2'\nI0\nI1\ntRp5\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x00\\xfe\\xff\\x03\\x00'\ntb.",
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    b"(K\x01K\x03\x85cnumpy\ndtype\nq\x04U\x02i2K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xff"
    b"J\xff\xff\xff\xffK\x00tb\x89U\x06\x01\x00\xfe\xff\x03\x00tb.",
)


@pytest.mark.parametrize("content", PYTHON2_ARRAY)
def test_python_2_pickles_are_read(tmp_path, content):
    path = tmp_path / "old.pkl"
    path.write_bytes(content)
    assert same(np.array([1, -2, 3], "i2"), read_array_file(path))
    path.write_bytes(b"(lp1\nS'sub\\xe4'\np2\naVx\np3\nag2\na.")
    assert read_array_file(path).tolist() == ["subä", "x", "subä"]


def test_python_2_samples_are_valid_pickles():
    for content in PYTHON2_ARRAY:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # NumPy 2 renamed numpy.core
            assert same(np.array([1, -2, 3], "i2"), pickle.loads(content, encoding="latin1"))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.npy: no such file"):
        read_array_file(tmp_path / "gone.npy")


@given(st.lists(st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=2), min_size=1))
def test_stack_nested_equals_numpy_array(value):
    assert same(np.array(value), stack_nested(value, max_bytes=2**20))


def test_stack_nested_refuses_more_than_max_bytes():
    part = np.zeros(1000)
    assert stack_nested([part] * 10, max_bytes=80_000).shape == (10, 1000)
    with pytest.raises(ValueError, match="expand to 80000 bytes"):
        stack_nested([part] * 10, max_bytes=79_999)
