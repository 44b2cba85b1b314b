"""Recordings of EEGLAB, and those that MNE reads: samples, pauses, units and damage, of files written here."""

import math
import shutil
import struct
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.io import savemat

from eegwf.config.data import Signals
from eegwf.data.signals import mne_formats
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from tests.helpers.mne_files import (
    NAMES,
    NIHON_STEP,
    SFREQ,
    quantized,
    raw_of,
    write_cnt,
    write_fif,
    write_gdf,
    write_nihon,
    write_set,
)

PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
DATA = quantized()
NIHON = np.round((DATA + 3200) / NIHON_STEP) * NIHON_STEP - 3200
DATE = datetime(2020, 1, 1, tzinfo=UTC)
# Writer, its suffix and its options.
FORMATS = {
    "EEGLAB, struct": (write_set, ".set", {}),
    "EEGLAB, fields": (write_set, ".set", {"nested": False}),
    "EEGLAB, packed struct": (write_set, ".set", {"compress": True}),
    "EEGLAB, packed fields": (write_set, ".set", {"nested": False, "compress": True}),
    "EEGLAB, struct and fdt": (write_set, ".set", {"fdt": "a_eeg.fdt"}),
    "EEGLAB, fields and fdt": (write_set, ".set", {"fdt": "a_eeg.fdt", "nested": False}),
    "FIF": (write_fif, ".fif", {}),
    "FIF, double": (write_fif, ".fif", {"fmt": "double", "first_samp": 300, "date": DATE}),
    "FIF, compressed": (write_fif, ".fif.gz", {}),
    "GDF 1": (write_gdf, ".gdf", {"version": "1.25"}),
    "GDF 2.1": (write_gdf, ".gdf", {"version": "2.11"}),
    "GDF 2.2": (write_gdf, ".gdf", {"version": "2.20"}),
    "CNT, 16 bits": (write_cnt, ".cnt", {}),
    "CNT, 32 bits": (write_cnt, ".cnt", {"width": 4}),
    "CNT, blocks": (write_cnt, ".cnt", {"block": 40}),
    "Nihon Kohden": (write_nihon, ".eeg", {"names": NAMES}),
}


def written(tmp_path, name, data=DATA, **changes):
    write, suffix, options = FORMATS[name]
    return write(tmp_path / f"a_eeg{suffix}", data, **(options | changes))


def assert_samples(path, data=DATA, atol=1e-5):
    head = header(path)
    values = head.samples.read(range(len(data)), 0, head.n_times)
    assert values.shape == data.shape and np.allclose(values, data, atol=atol)
    return head


def parts(head):
    return [(stretch.start, stretch.stop, stretch.onset * head.sfreq) for stretch in head.stretches]


def shorten(path, n_bytes):
    path.write_bytes(path.read_bytes()[:-n_bytes])


@pytest.mark.parametrize("name", FORMATS)
def test_samples_are_those_that_were_written(tmp_path, name):
    """In microvolts, whichever channels and samples are read, and in whichever order."""
    path = written(tmp_path, name)
    data = NIHON if name == "Nihon Kohden" else DATA
    head = assert_samples(path, data)
    assert head.names == NAMES and head.sfreq == SFREQ and head.n_times == 1280
    assert len(head.stretches) == 1 and not head.notes and not any(head.faults) and head.to_microvolts[0] in (1.0, 1e6)
    for columns, start, stop in [([2, 0], 3, 5), ([1], 1279, 1280), ([1, 2], 77, 1011), ([0], 40, 40)]:
        assert np.allclose(head.samples.read(columns, start, stop), data[columns, start:stop], atol=1e-5)
    signal = open_signal(path, PLAIN)
    assert np.allclose(signal.read(0, 1280), data, atol=1e-3)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, name):
    path = written(tmp_path, name)
    samples = header(path).samples
    samples.read([0], 0, 10)
    data = path.with_suffix(".fdt") if "fdt" in name else path
    shorten(data, 3000)
    with pytest.raises(InputError, match=r"became shorter|damaged within|cut off"):
        samples.read([0], 0, 1280)
    with pytest.raises(InputError) as caught:
        header(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    data.unlink()
    with pytest.raises(InputError, match="can't be read"):
        samples.read([0], 0, 1280)


@pytest.mark.parametrize("name", FORMATS)
def test_empty_files_and_files_of_other_formats_are_refused(tmp_path, name):
    path = written(tmp_path, name)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        header(path)
    for content in (b"0" * 10, b"0" * 5000, bytes(5000)):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            header(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fdt", [None, "a_eeg.fdt"])
def test_boundaries_of_eeglab_are_between_two_samples(tmp_path, fdt):
    events = [("boundary", 0.5, math.nan), ("boundary", 129.5, 64.0), ("boundary", 300.0, 0.0), ("x", 400.0, 0.0)]
    head = assert_samples(written(tmp_path, "EEGLAB, struct", fdt=fdt, events=events))
    assert parts(head) == [(0, 129, 0), (129, 299, 129), (299, 1280, 299)]
    assert "segments begin at 1.00781 s, at 2.33594 s; no window crosses" in head.notes[0]
    signal = open_signal(tmp_path / "a_eeg.set", PLAIN)
    assert np.allclose(signal.read(129, 299), DATA[:, 129:299], atol=1e-3)
    with pytest.raises(ValueError, match="of a stretch"):
        signal.read(128, 130)


@pytest.mark.parametrize("first_samp", [0, 500])
@pytest.mark.parametrize("date", [None, DATE])
def test_fif_files_of_several_recordings_have_pauses(tmp_path, first_samp, date):
    import mne

    raws = [raw_of(DATA[:, :640], first_samp=first_samp, date=date), raw_of(DATA[:, 640:], date=date)]
    mne.concatenate_raws(raws, verbose="ERROR").save(tmp_path / "a_eeg.fif", verbose="ERROR")
    assert parts(assert_samples(tmp_path / "a_eeg.fif")) == [(0, 640, 0), (640, 1280, 640)]


@pytest.mark.parametrize("first_samp", [0, 500])
@pytest.mark.parametrize("date", [None, DATE])
def test_skips_of_fif_files_are_gaps(tmp_path, first_samp, date):
    """MNE counts the time of a skip, and fills it with zeros; these are not samples."""
    import mne

    raw = raw_of(DATA, first_samp=first_samp, date=date)
    onset = 2.0 + (first_samp / SFREQ if date else 0.0)
    raw.set_annotations(mne.Annotations(onset, 1.0, "BAD_ACQ_SKIP", orig_time=date))
    raw.save(tmp_path / "a_eeg.fif", buffer_size_sec=1.0, verbose="ERROR")
    head = assert_samples(tmp_path / "a_eeg.fif", np.delete(DATA, np.s_[256:384], axis=1))
    assert parts(head) == [(0, 256, 0), (256, 1152, 384)]
    assert head.notes == ("1 gap (2 to 3 s); no window crosses a gap",)
    assert (head.duration, head.span) == (9.0, 10.0)


@pytest.mark.parametrize(("naming", "first"), [("neuromag", "a_eeg.fif"), ("bids", "a_split-01_eeg.fif")])
def test_split_fif_files_are_one_recording(tmp_path, naming, first):
    data = np.tile(DATA, (1, 300))
    write_fif(tmp_path / "a_eeg.fif", data, split_size="3MB", split_naming=naming)
    files = sorted(tmp_path.glob("*.fif"))
    assert len(files) == 3
    assert_samples(tmp_path / first, data)
    (tmp_path / ("a_eeg-2.fif" if naming == "neuromag" else "a_split-03_eeg.fif")).unlink()
    with pytest.raises(InputError, match=r"one of its files is not beside it .*Split raw file"):
        header(tmp_path / first)


def test_trigger_channels_are_not_eeg_whatever_their_name(tmp_path):
    path = write_fif(tmp_path / "a_eeg.fif", DATA, types=["eeg", "stim", "misc"])
    head = header(path)
    assert head.eeg == (0, 2) and math.isnan(head.to_microvolts[2])
    with pytest.raises(InputError, match="unit of 'T7' is 'no unit of voltage', not a unit of voltage"):
        open_signal(path, PLAIN)


@pytest.mark.parametrize("name", ["EEGLAB, struct", "EEGLAB, fields and fdt", "CNT, 16 bits", "GDF 1"])
def test_channels_of_one_name_are_not_renamed(tmp_path, name):
    path = written(tmp_path, name, names=["Fp1", "Fp1", "T7"])
    assert header(path).names == ("Fp1", "Fp1", "T7")
    with pytest.raises(InputError, match=r"duplicated channel .*'Fp1' and 'Fp1' \(channels 1 and 2\) differ"):
        open_signal(path, PLAIN)


def test_recordings_of_matlab_7_3_and_epochs_are_refused(tmp_path):
    path = tmp_path / "a_eeg.set"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match=r"of MATLAB 7\.3, which can't be read; save it again in EEGLAB"):
        header(path)
    write_set(path, DATA.reshape(3, 128, 10), trials=10)
    with pytest.raises(InputError, match="10 epochs, expected a continuous recording"):
        header(path)
    import mne

    epochs = mne.make_fixed_length_epochs(raw_of(DATA), 1.0, verbose="ERROR")
    epochs.save(tmp_path / "b_eeg.fif", verbose="ERROR")
    with pytest.raises(InputError, match="epochs or averages, expected a continuous recording"):
        header(tmp_path / "b_eeg.fif")


@pytest.mark.parametrize("name", [name for name in FORMATS if "EEGLAB" in name])
def test_eeglab_files_are_read_as_by_mne(tmp_path, name):
    import mne

    events = [("boundary", 129.5, 64.0), ("x", 400.0, 0.0)]
    path = written(tmp_path, name, events=events, types=["EEG", "stim", ""])
    head = header(path)
    with pytest.warns(RuntimeWarning, match="boundary"):
        raw = mne.io.read_raw_eeglab(path)
    assert list(head.names) == raw.ch_names and head.sfreq == raw.info["sfreq"] and head.eeg == (0, 2)
    assert np.allclose(head.samples.read([0, 1, 2], 0, 1280), raw.get_data() * 1e6)
    assert head.stretches[1].start == math.ceil(raw.annotations.onset[0] * SFREQ)


@pytest.mark.parametrize("dtype", ["f8", "i2", ">f4"])
@pytest.mark.parametrize("compress", [False, True])
def test_samples_of_eeglab_have_any_type(tmp_path, dtype, compress):
    path = write_set(tmp_path / "a_eeg.set", DATA, data=np.round(DATA).astype(dtype), compress=compress)
    assert_samples(path, np.round(DATA))


def test_invalid_fields_of_eeglab_are_refused(tmp_path):
    path = tmp_path / "a_eeg.set"
    for fields, message in [
        ({"srate": 0.0}, "srate is 0, not a positive number"),
        ({"pnts": 0.0}, "pnts is 0, not a positive number"),
        ({"nbchan": 4.0}, "nbchan is 4, chanlocs has 3 channels"),
        ({"data": "a.dat"}, r"its samples are in 'a\.dat', expected a file \.fdt"),
        ({"data": DATA * 1j}, "its field data is neither numbers nor the name of a file"),
    ]:
        with pytest.raises(InputError, match=message):
            header(write_set(path, DATA, **fields))
    savemat(path, {"x": 1.0})
    with pytest.raises(InputError, match="found nothing, expected the fields data and srate of an EEG"):
        header(path)
    assert header(write_set(path, DATA, chanlocs=np.zeros((0, 0)))).names == ("Ch1", "Ch2", "Ch3")


def test_data_files_of_eeglab_are_found_and_their_size_is_checked(tmp_path):
    path = written(tmp_path, "EEGLAB, struct and fdt")
    path, data = path.rename(tmp_path / "b_eeg.set"), tmp_path / "a_eeg.fdt"
    data = data.rename(tmp_path / "b_eeg.fdt")
    assert assert_samples(path).notes == ("names the data file a_eeg.fdt; b_eeg.fdt is read",)
    shorten(data, 12)
    with pytest.raises(InputError, match=r"b_eeg\.fdt: 15348 bytes, expected 15360 for 3 channels and 1280 samples"):
        header(path)
    data.unlink()
    with pytest.raises(InputError, match=r"b_eeg\.set: its data file a_eeg\.fdt is not beside it; fetch it"):
        header(path)
    write_set(path, DATA, nested=False, pnts=1000.0)
    with pytest.raises(InputError, match=r"samples of shape \(3, 1280\), expected \(3, 1000\)"):
        header(path)


@pytest.mark.parametrize("version", ["1.25", "1.99", "2.20"])
def test_segments_of_gdf_are_pauses(tmp_path, version):
    path = written(tmp_path, "GDF 1", version=version, events=[(1, 0x7FFE), (641, 0x7FFE), (700, 769)])
    head = assert_samples(path)
    assert parts(head) == [(0, 640, 0), (640, 1280, 640)]
    assert head.notes == ("segments begin at 5 s; no window crosses their edges, and times do not count pauses",)


def test_units_of_gdf_are_converted(tmp_path):
    head = header(written(tmp_path, "GDF 2.2", codes=[4276, 4274, 4256]))
    assert np.allclose(head.samples.read([0, 1, 2], 0, 1280), DATA * [[1e-3], [1e3], [1e6]])
    head = header(written(tmp_path, "GDF 1", units=["nV", "mV", "%"]))
    assert np.allclose(head.samples.read([0, 1, 2], 0, 1280), DATA * [[1e-3], [1e3], [1]])
    path = written(tmp_path, "GDF 2.2", codes=[4275, 512, 4275])
    with pytest.raises(InputError, match="unit of 'F7' is 'unit 512 of GDF', not a unit of voltage"):
        open_signal(path, PLAIN)


def test_gdf_channels_that_mne_would_resample_are_not_used(tmp_path):
    path = written(tmp_path, "GDF 2.2", names=["Fp1", "ECG", "T7"], lengths=[128, 64, 128])
    assert np.allclose(open_signal(path, PLAIN).read(0, 1280), DATA[[0, 2]], atol=1e-3)
    path = written(tmp_path, "GDF 2.2", lengths=[128, 64, 128])
    with pytest.raises(InputError, match="channel 2 has 64 Hz, others 128 Hz; export it as EDF"):
        open_signal(path, PLAIN)
    with pytest.raises(InputError, match=r"samples of the types \[3, 4\], expected a single one"):
        header(written(tmp_path, "GDF 2.2", types=[3, 4, 3]))
    path = written(tmp_path, "GDF 2.2", limits=(5.0, 5.0 + 1e-9))
    content = bytearray(path.read_bytes())
    content[256 + 3 * 112 : 256 + 3 * 112 + 8] = struct.pack("<d", 5.0)
    path.write_bytes(content)
    with pytest.raises(InputError, match="channel 1 has no range, so its samples can't be scaled"):
        open_signal(path, PLAIN)


@pytest.mark.parametrize("name", ["CNT, 16 bits", "CNT, 32 bits"])
def test_discontinuities_of_cnt_are_pauses(tmp_path, name):
    head = assert_samples(written(tmp_path, name, events=[(128, 14), (200, 0), (900, 11), (1000, 13)]))
    assert parts(head) == [(0, 128, 0), (128, 900, 128), (900, 1280, 900)]


def test_cnt_files_whose_samples_are_ambiguous_are_refused(tmp_path):
    with pytest.raises(InputError, match="16 and 32 bits can't be distinguished; export it as EDF or BrainVision"):
        header(written(tmp_path, "CNT, 16 bits", n_samples=0))
    with pytest.raises(
        InputError, match="7680 bytes of samples, expected 2 or 4 for each of 1000 samples of 3 channels"
    ):
        header(written(tmp_path, "CNT, 16 bits", n_samples=1000))
    with pytest.raises(InputError, match="1270 samples, expected a multiple of 40, its block size"):
        header(written(tmp_path, "CNT, blocks", DATA[:, :1270]))
    path = written(tmp_path, "CNT, 16 bits")
    path.write_bytes(b"RIFF" + path.read_bytes()[4:])
    with pytest.raises(InputError, match="a CNT file of ANT Neuro, expected one of Neuroscan"):
        header(path)


def test_blocks_of_nihon_kohden_have_pauses(tmp_path):
    path = written(tmp_path, "Nihon Kohden", pauses=[(256, 3), (640, 7)])
    head = assert_samples(path, NIHON)
    assert parts(head) == [(0, 256, 0), (256, 896, 256), (896, 1280, 896)]
    assert head.notes[0].startswith(
        "segments begin at 2 s after a pause of 3 s, at 7 s after a pause of 7 s; no window"
    )
    path.with_suffix(".21E").rename(tmp_path / "a_eeg.21e")
    with pytest.raises(InputError, match=r"a_eeg\.21e: not read, expected the suffix \.21E in capitals; rename it"):
        header(path)
    (tmp_path / "a_eeg.21e").unlink()
    head = header(path)
    assert head.names == ("FP1", "F7", "T3") and "default names of Nihon Kohden" in head.notes[0]


@pytest.mark.parametrize("name", [name for name in FORMATS if "compressed" not in name])
def test_files_cut_off_anywhere_are_refused_or_complete(tmp_path, name):
    """A file that ends early has all samples, because only its end without samples is missing, or is refused."""
    path = written(tmp_path, name)
    data = NIHON if name == "Nihon Kohden" else DATA
    target = path.with_suffix(".fdt") if "fdt" in name else path
    content = target.read_bytes()
    for size in np.linspace(1, len(content) - 1, 40).astype(int):
        target.write_bytes(content[:size])
        try:
            head = header(path)
            values = head.samples.read([0, 1, 2], 0, head.n_times)
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 600
        else:
            assert values.shape == data.shape and np.allclose(values, data, atol=1e-5)


def test_few_open_recordings_are_kept(tmp_path):
    for number in range(5):
        path = write_gdf(tmp_path / f"{number}_eeg.gdf", quantized(seed=number))
        assert_samples(path, quantized(seed=number))
    assert mne_formats._kept.cache_info().currsize <= mne_formats.MAX_OPEN


def test_links_are_followed(tmp_path):
    """As in data sets of DataLad: the linked file has another name, its companions lie beside the link."""
    written(tmp_path, "EEGLAB, struct and fdt")
    (tmp_path / "store").mkdir()
    for name in ("a_eeg.set", "a_eeg.fdt"):
        shutil.move(tmp_path / name, tmp_path / "store" / f"MD5-{name[-3:]}")
        (tmp_path / name).symlink_to(f"store/MD5-{name[-3:]}")
    assert_samples(tmp_path / "a_eeg.set")


def test_mne_is_not_imported_for_other_formats():
    import subprocess

    code = "import sys, eegwf.data.dataset, eegwf.data.signals.header; sys.exit('mne' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
