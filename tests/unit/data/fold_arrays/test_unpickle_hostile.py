"""Hostile and damaged files are refused, and no pickle executes code."""

import copyreg
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eegwf.data.fold_arrays.unpickle import read_array_file, read_object
from eegwf.errors import InputError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def objects(*items) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


class Call:
    """An object whose pickle calls `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def hostile(marker: Path, other: Path) -> dict[str, bytes]:
    """Pickles that create the marker file if `pickle.loads` reads them."""
    command, source = f"touch {marker}", f"open({str(marker)!r}, 'w').close()"
    np.save(other, objects(Call(os.system, command)))
    runstring = b"cnumpy.testing._private.utils\nrunstring\n(V%b\n(dtR." % source.encode()
    build = b"\x80\x04" + short("numpy") + short("ndarray.__setstate__.__class__.__base__.__subclasses__")
    return {
        "os.system": pickle.dumps(Call(os.system, command)),
        "inside a list": pickle.dumps([np.zeros(2), {"a": Call(os.system, command)}]),
        "inside an object array": pickle.dumps(objects(np.zeros(2), objects(Call(os.system, command)))),
        "eval": pickle.dumps(Call(eval, f"__import__('os').system('{command}')"), 0),
        "exec": pickle.dumps(Call(exec, source)),
        "getattr": b"c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(cos\npath\nVos\ntRVsystem\ntR(V%b\ntR."
        % command.encode(),
        "dotted name": build + b"\x93)R0" + pickle.dumps(Call(os.system, command))[2:],
        "numpy.load": pickle.dumps(Call(np.load, str(other), None, True)),
        "numpy.testing": runstring,
        "inst": b"(Vtouch %b\nios\nsystem\n." % str(marker).encode(),
        "obj": b"(cos\nsystem\nVtouch %b\no." % str(marker).encode(),
        "os.system through a dotted name of numpy": b"\x80\x04"
        + short("numpy")
        + short("lib._npyio_impl.os.system")
        + b"\x93"
        + short(command)
        + b"\x85R.",
    }


HOSTILE = tuple(hostile(Path("/nowhere/marker"), io.BytesIO()))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("wrapped", [False, True], ids=["raw", "npy"])
def test_hostile_pickle_is_not_executed(tmp_path, name, wrapped):
    marker, path = tmp_path / "marker", tmp_path / "hostile.npy"
    content = hostile(marker, tmp_path / "other.npy")[name]
    pickle.loads(content)
    assert marker.exists(), "pickle.loads must execute the sample"
    marker.unlink()
    if wrapped:
        np.save(path, objects(None))
        plain = pickle.dumps(objects(None), protocol=4)
        head = path.read_bytes()
        content = head[: head.index(plain[:2])] + content
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_array_file(path)
    assert str(path) in str(error.value) and "requests" in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Call(os.system, "true"), "'posix.system'"),
        (Call(eval, "1"), "'builtins.eval'"),
        (Call(getattr, 1, "real"), "'builtins.getattr'"),
        (Call(np.load, "x"), "'numpy.load'"),
        (Call(copyreg._reconstructor, object, object, None), "'copyreg._reconstructor'"),
        (Path("x"), "PosixPath'"),
        (np.ma.array([1]), "'numpy.ma.core._mareconstruct'"),
        (np.float64, "'numpy.float64'"),
        (object, "'builtins.object'"),
        (range(3), "'builtins.range'"),
    ],
)
def test_error_contains_the_refused_name(tmp_path, value, name):
    path = tmp_path / "named.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match="requests") as error:
        read_array_file(path)
    assert name in str(error.value)


def test_registered_extension_code_is_refused(tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "extension.pkl"
    copyreg.add_extension("posix", "system", 250)
    try:
        content = pickle.dumps(Call(os.system, f"touch {marker}"), 2)
        assert b"\x82\xfa" in content
        pickle.loads(content)  # fills the cache from which the unpickler takes it without find_class
        marker.unlink()
        path.write_bytes(content)
        with pytest.raises(InputError, match="extension code"):
            read_array_file(path)
    finally:
        copyreg.remove_extension("posix", "system", 250)
    assert not marker.exists()


def array_pickle(dtype: bytes, state: bytes, shape: bytes, data: bytes) -> bytes:
    return (
        b"cnumpy\ndtype\n(V%b\nI00\nI01\ntR(%btbp0\n0cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
        b"(I0\ntVb\ntR(I1\n(%btg0\nI00\n%btb." % (dtype, state, shape, data)
    )


PLAIN = b"I3\nV<\nNNNI-1\nI-1\nI0\n"
TRAPS = {
    "object dtype with the flags of plain data": array_pickle(b"O8", PLAIN, b"I1\n", b"Vaaaaaaaa\n"),
    "missing objects": array_pickle(b"O8", PLAIN, b"I3\n", b"(lN" + b"a"),
    "fields": array_pickle(b"V8", b"I3\nV|\nN(Va\nt(dI8\nI1\nI0\n", b"I1\n", b"Vaaaaaaaa\n"),
    "larger items than stored": array_pickle(b"S4", b"I3\nV|\nNNNI4000\nI1\nI0\n", b"I1\n", b"Vaaaa\n"),
    "shape beyond the data": array_pickle(b"f8", PLAIN, b"I1000000000000\n", b"Vaaaaaaaa\n"),
    "negative shape": array_pickle(b"f8", PLAIN, b"I-1\nI-1\n", b"Vaaaaaaaa\n"),
    "shape that overflows": array_pickle(b"f8", PLAIN, b"L4294967296L\nL4294967296L\n", b"V\n"),
    "10**12 elements of 0 bytes": array_pickle(b"S0", b"I3\nV|\nNNNI0\nI1\nI0\n", b"I1000000000000\n", b"V\n"),
    "datetime": array_pickle(b"M8", PLAIN, b"I1\n", b"Vaaaaaaaa\n"),
    "call of ndarray": b"cnumpy\nndarray\n((I1000000000000\nttR.",
    "NEWOBJ of ndarray": b"\x80\x02cnumpy\nndarray\n(K\x01t\x81.",
    "state on a function": b"cnumpy\ndtype\n(dVx\nI1\nsb.",
    "attribute on a function": b"\x80\x02cnumpy\ndtype\nN}U\x0c__defaults__)s\x86b.",
    "function as a value": b"cnumpy\ndtype\n.",
    "dtype as a value": b"cnumpy\ndtype\n(Vf8\ntR.",
    "another codec": b"c_codecs\nencode\n(Vx\nVpunycode\ntR.",
    "large bytes": b"\x80\x03B\xff\xff\xff\x7fabc.",
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 2**50) + b"N.",
    "huge memo index": b"\x80\x02Nr\xff\xff\xff\xff.",
    "huge memo index in text": b"Np4294967295\n.",
    "huge integer": b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "bytes of a number": b"\x80\x03cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.",
    "set of a number": b"\x80\x03cbuiltins\nset\nK\x05\x85R.",
    "persistent id": b"Pname\n.",
    "buffer outside the file": b"\x80\x05\x97.",
    "list that contains itself": b"]\x94h\x00a.",
    "deep tuples as a key of a dict": b"}" + b")" + b"\x85" * 2_000_000 + b"Ns.",
    "deep tuples through the memo": b"})" + b"\x85q\x000h\x00" * 100_000 + b"Ns.",
    "deep lists": b"(l" + b"(l" * 100_000 + b"a" * 100_000 + b".",
    "shared lists that expand exponentially": b"]K\x01a"
    + b"2\x940]("
    + b"".join(b"]\x94(" + b"h%c" % i * 200 + b"e" for i in range(12))
    + b"e.",
    "empty file": b"",
    "no STOP opcode": b"N",
    "empty stack": b".",
    "text": b"patient,label\n1,2\n",
    "zip": b"PK\x03\x04" + b"\0" * 40,
    "gzip": b"\x1f\x8b" + b"\0" * 40,
    "npy magic alone": b"\x93NUMPY",
    "npy of another version": b"\x93NUMPY\x09\x00v\x00{}",
    "npy header with code": b"\x93NUMPY\x01\x00\x20\x00__import__('os').system('true') \n",
}


@pytest.mark.parametrize("name", TRAPS)
def test_damaged_file_is_refused(tmp_path, name):
    path = tmp_path / "trap.npy"
    path.write_bytes(TRAPS[name])
    with pytest.raises(InputError) as error:
        read_array_file(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "shape", ["(4294967296, 4294967296)", "(1000000000000,)", "(-1,)", "(10**40,)", "(1" + "0" * 40 + ",)"]
)
@pytest.mark.parametrize("descr", ["'<f8'", "'|S0'", "[('a', 'O')]", "'<M8[D]'"])
def test_npy_header_that_contradicts_the_data_is_refused(tmp_path, shape, descr):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path = tmp_path / "header.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0" * 16)
    with pytest.raises(InputError, match=r"header\.npy"):
        read_array_file(path)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_truncated_pickle_is_refused(tmp_path, protocol):
    path = tmp_path / "truncated.pkl"
    content = pickle.dumps([np.arange(3), objects("a", np.float32(1))], protocol)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            read_object(path)


SAMPLE = [np.arange(6.0).reshape(2, 3), np.array(["sub-1"]), np.float32(1), {"a": {1}}, objects(1, "b")]
SEEDS = [pickle.dumps(SAMPLE, protocol) for protocol in PROTOCOLS]
SEEDS.append(b"(lp1\nS'sub\xe4'\np2\naVx\np3\naI01\naF1.5\nag2\na.")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_pickle_is_read_or_refused(tmp_path, monkeypatch, data):
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("os.system was called"))
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=0, max_size=4) | st.sampled_from([b"cos\nsystem\n", b"R", b"b", b"\x81"]))
        content[place : place + data.draw(st.integers(0, 4))] = piece
    path = tmp_path / "mutated.pkl"
    path.write_bytes(bytes(content))
    for read in (read_object, read_array_file):
        try:
            read(path)
        except InputError as error:
            assert str(path) in str(error)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x80\x04", b"\x80\x02("]))
@example(b"cos\nsystem\n(Vtouch ran\ntR.", b"")
def test_random_bytes_are_read_or_refused(tmp_path, content, start):
    path = tmp_path / "random"
    path.write_bytes(start + content)
    try:
        read_array_file(path)
    except InputError as error:
        assert str(path) in str(error)
