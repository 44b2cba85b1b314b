"""Interrupted, repeated and refused conversions, recordings with faults, links, and the command."""

import subprocess
import sys

import pytest

from eegwf import cli
from eegwf.convert import conversion, transfer
from eegwf.convert.conversion import convert
from eegwf.convert.corpora import corpus_in
from eegwf.errors import InputError
from tests.helpers.original_layouts import write_chbmit, write_helsinki, write_siena, write_tusz


def run(source, target, link=False, name="chbmit"):
    return convert(corpus_in(name, source, False), source, target, link)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stamps(folder):
    return {path: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def source(tmp_path):
    return write_chbmit(tmp_path / "source", ("chb01", "chb02"))


@pytest.fixture
def target(tmp_path):
    return tmp_path / "bids"


def test_the_corpus_is_not_changed(source, target):
    before = (contents(source), stamps(source))
    run(source, target)
    run(source, target, link=True)
    assert (contents(source), stamps(source)) == before


def test_a_repeated_conversion_writes_no_data_again(source, target):
    run(source, target)
    data = {path: stamp for path, stamp in stamps(target).items() if path.parent.name != "code"}
    assert len(data) == 4 * 4 + 4
    run(source, target)
    assert {path: stamp for path, stamp in stamps(target).items() if path.parent.name != "code"} == data


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("n_calls", range(4))
def test_an_interrupted_conversion_is_continued(source, target, tmp_path, monkeypatch, link, n_calls):
    """Interrupted while the recording number `n_calls` is copied or linked, after half of its bytes."""
    complete = tmp_path / "complete"
    run(source, complete, link)
    calls = []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) > n_calls:
            if not link:
                arguments[1].write(b"half")
            raise KeyboardInterrupt

    name = "link_file" if link else "copyfileobj"
    place = conversion if link else transfer.shutil
    real = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *arguments: (interrupt(*arguments), real(*arguments)))
    with pytest.raises(KeyboardInterrupt):
        run(source, target, link)
    assert len(list(target.rglob("*.edf"))) == n_calls
    assert not [path for path in target.rglob(".*")]  # no partial files
    for path in target.rglob("*.edf"):
        assert path.with_name(path.name.replace("_eeg.edf", "_events.tsv")).exists()
        assert path.read_bytes() == (complete / path.relative_to(target)).read_bytes()
    monkeypatch.setattr(place, name, real)
    run(source, target, link)
    assert contents(target) == contents(complete)


def test_a_killed_conversion_is_continued(source, target, tmp_path):
    """The process ends without cleaning up while it copies; its temporary file is removed by the next one."""
    code = (
        "import os, shutil, sys; from pathlib import Path; from eegwf.convert import transfer, conversion, corpora\n"
        "def die(source, copy, size): copy.write(b'half'); copy.flush(); os._exit(9)\n"
        "transfer.shutil.copyfileobj = die\n"
        "source, target = map(Path, sys.argv[1:])\n"
        "conversion.convert(corpora.corpus_in('chbmit', source, False), source, target, False)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(source), str(target)], capture_output=True)
    assert done.returncode == 9 and len(list(target.rglob(".*edf*"))) == 1 and not list(target.rglob("*_eeg.edf"))
    run(source, target)
    run(source, tmp_path / "complete")
    assert contents(target) == contents(tmp_path / "complete")


def test_changed_recordings_and_annotations_are_converted_again(source, target):
    run(source, target)
    before = contents(target)
    edf = source / "chb01/chb01_03.edf"
    content = bytearray(edf.read_bytes())
    content[-2:] = b"\1\2"
    edf.write_bytes(content)
    summary = source / "chb02/chb02-summary.txt"
    summary.write_text(summary.read_text().replace("Start Time: 10 seconds", "Start Time: 11 seconds"))
    run(source, target)
    after = contents(target)
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == {"sub-01_task-szMonitoring_run-03_eeg.edf", "sub-02_task-szMonitoring_run-03_events.tsv"}


def test_links_are_relative_and_replaced_by_copies_and_back(source, target, tmp_path):
    run(source, target, link=True)
    link = target / "sub-01/eeg/sub-01_task-szMonitoring_run-03_eeg.edf"
    assert str(link.readlink()) == "../../../source/chb01/chb01_03.edf"
    assert all(path.is_symlink() == (path.suffix == ".edf") for path in target.rglob("*") if path.is_file())
    run(source, target)
    assert not link.is_symlink() and link.read_bytes() == (source / "chb01/chb01_03.edf").read_bytes()
    run(source, target, link=True)
    assert link.is_symlink()
    moved = tmp_path / "moved"
    moved.mkdir()
    source.rename(moved / "source")
    target.rename(moved / "bids")
    assert (moved / "bids" / link.relative_to(target)).exists()


def test_the_link_of_a_link_is_to_the_file(source, target):
    """As in a data set of git-annex."""
    edf = source / "chb01/chb01_03.edf"
    annex = source / "annex"
    annex.mkdir()
    edf.rename(annex / "key")
    edf.symlink_to("../annex/key")
    run(source, target, link=True)
    link = target / "sub-01/eeg/sub-01_task-szMonitoring_run-03_eeg.edf"
    assert str(link.readlink()) == "../../../source/annex/key"


def test_faults_of_single_recordings(source, target):
    (source / "chb01/chb01_03.edf").write_bytes(b"0       broken")
    summary = source / "chb02/chb02-summary.txt"
    summary.write_text(summary.read_text().replace("End Time: 22 seconds", "End Time: 9 seconds"))
    edf = source / "chb01/chb01_04.edf"
    edf.rename(source / "chb01/chb01_05.edf")
    outcomes, lines = run(source, target)
    faults = {outcome.source: outcome.fault for outcome in outcomes if outcome.fault}
    assert set(faults) == {"chb01/chb01_03.edf", "chb01/chb01_04.edf", "chb01/chb01_05.edf", "chb02/chb02_03.edf"}
    assert "shorter than a header" in faults["chb01/chb01_03.edf"]
    assert "no such file, although chb01-summary.txt names it" in faults["chb01/chb01_04.edf"]
    assert "expected chb01_05.edf once" in faults["chb01/chb01_05.edf"]
    assert "is before the start" in faults["chb02/chb02_03.edf"]
    assert len([line for line in lines if line.startswith("not converted: ")]) == 4
    assert [path.name for path in target.rglob("*.edf")] == ["sub-02_task-szMonitoring_run-04_eeg.edf"]
    table = (target / "code/conversion.tsv").read_text().splitlines()
    assert len(table) == 6 and sum("\tnot converted\t" in line for line in table) == 4
    assert (target / "participants.tsv").read_text().splitlines()[1:] == ["sub-02\tchb02\tn/a\tn/a\tsub-02"]


def test_missing_annotations(source, target, tmp_path):
    (source / "chb01/chb01-summary.txt").unlink()
    outcomes, _ = run(source, target)
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    assert len(faults) == 2 and all("expected one file '*-summary.txt' of its annotations" in text for text in faults)
    assert not any("dataset." in text for text in faults)
    tusz = write_tusz(tmp_path / "tusz")
    next(tusz.rglob("*_t000.csv")).unlink()
    (tusz / "edf/dev/lost/s001").mkdir(parents=True)
    (tusz / "edf/dev/lost/s001/lost_s001_t000.csv").write_text("channel,start_time,stop_time,label,confidence\n")
    outcomes, _ = run(tusz, tmp_path / "bids_tusz", name="tusz")
    faults = sorted(outcome.fault for outcome in outcomes if outcome.fault)
    assert len(faults) == 2 and ".csv, expected its annotations" in faults[0] and "names it; fetch it" in faults[1]
    assert not any("dataset." in text for text in faults)
    helsinki = write_helsinki(tmp_path / "helsinki")
    (helsinki / "eeg2.edf").unlink()
    outcomes, _ = run(helsinki, tmp_path / "bids_helsinki", name="helsinki")
    assert [outcome.source for outcome in outcomes if outcome.fault] == ["eeg2.edf"]


def test_a_repaired_recording_is_added_and_a_lost_one_is_named(source, target):
    edf = source / "chb01/chb01_03.edf"
    content = edf.read_bytes()
    edf.write_bytes(content[:-100])
    assert "cut off" in next(outcome.fault for outcome in run(source, target)[0] if outcome.fault)
    edf.write_bytes(content)
    outcomes, lines = run(source, target)
    assert len(list(target.rglob("*.edf"))) == 4 and not [outcome.fault for outcome in outcomes if outcome.fault]
    assert not [line for line in lines if line.startswith("left")]
    edf.write_bytes(content[:-100])
    _, lines = run(source, target)
    (line,) = [line for line in lines if line.startswith("left")]
    assert "sub-01/eeg/sub-01_task-szMonitoring_run-03_eeg.edf; remove it" in line


def test_two_files_of_one_name(tmp_path):
    source = write_tusz(tmp_path / "source")
    folder = next(source.rglob("02_tcp_le"))
    other = folder.with_name("03_tcp_ar_a")
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    outcomes, _ = run(source, tmp_path / "bids", name="tusz")
    faults = [outcome for outcome in outcomes if outcome.fault]
    assert len(faults) == 4 and all("another recording would have the same name" in one.fault for one in faults)
    assert len(list(tmp_path.glob("bids/**/*.edf"))) == 6


def test_folders_within_each_other(source, tmp_path):
    before = contents(source)
    link = tmp_path / "link"
    link.symlink_to(source)
    for target in (source, source / "bids", source / "chb01", tmp_path, link, link / "bids"):
        with pytest.raises(InputError, match="choose a folder beside it"):
            run(source, target)
    assert contents(source) == before
    with pytest.raises(InputError, match="absent: no such folder"):
        run(tmp_path / "absent", tmp_path / "bids")
    with pytest.raises(InputError, match=r"no recordings of CHB-MIT .* files such as chb01/chb01_03\.edf in it"):
        run(source / "chb01", tmp_path / "bids")
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("notes.txt", "mine", "contains other files"),
        ("dataset_description.json", '{"Name": "Mine"}', "contains the data set 'Mine'"),
        ("dataset_description.json", '{"Name": "CHB-MIT Scalp EEG Database"}', "not a conversion"),
        ("dataset_description.json", '["GeneratedBy"]', "not a conversion"),
        ("dataset_description.json", '{"GeneratedBy": [1], "Name": 2}', "not a conversion"),
    ],
)
def test_an_occupied_folder(source, target, name, text, message):
    target.mkdir()
    (target / name).write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        run(source, target)
    assert "\n" not in str(raised.value) and "choose a new or empty folder" in str(raised.value)
    assert contents(target) == {(target / name).relative_to(target): text.encode()}


def test_a_conversion_of_another_corpus(source, target, tmp_path):
    run(source, target)
    before = contents(target)
    with pytest.raises(InputError, match="contains the data set 'CHB-MIT"):
        run(write_siena(tmp_path / "siena"), target, name="siena")
    assert contents(target) == before
    with pytest.raises(InputError, match="a file, expected a folder"):
        run(source, target / "README")


def test_a_folder_of_the_result_that_is_a_link(source, target):
    """Files are never written through a link, which could lead into the corpus."""
    run(source, target)
    before = contents(source)
    for path in sorted((target / "sub-01/eeg").iterdir()):
        path.unlink()
    (target / "sub-01/eeg").rmdir()
    (target / "sub-01/eeg").symlink_to(source / "chb01")
    outcomes, _ = run(source, target)
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    assert len(faults) == 2 and all("sub-01/eeg: a link" in fault for fault in faults)
    assert contents(source) == before


def test_tables_that_are_links_are_replaced(source, target, tmp_path):
    run(source, target)
    table = target / "sub-01/eeg/sub-01_task-szMonitoring_run-03_events.tsv"
    other = tmp_path / "other.tsv"
    other.write_text("mine")
    table.unlink()
    table.symlink_to(other)
    run(source, target)
    assert not table.is_symlink() and other.read_text() == "mine"


def test_a_recording_that_changes_while_it_is_copied(source, target, monkeypatch):
    real = transfer.shutil.copyfileobj

    def growing(content, copy, size):
        real(content, copy, size)
        if content.name.endswith("chb01_03.edf"):
            with open(content.name, "ab") as file:
                file.write(b"more")

    monkeypatch.setattr(transfer.shutil, "copyfileobj", growing)
    outcomes, _ = run(source, target)
    (fault,) = [outcome.fault for outcome in outcomes if outcome.fault]
    assert "chb01_03.edf: changed while it was copied" in fault and len(list(target.rglob("*.edf"))) == 3


def test_a_full_disk(source, target, monkeypatch, capsys):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.shutil, "copyfileobj", full)
    with pytest.raises(SystemExit) as ended:
        cli.main(["convert", "chbmit", str(source), str(target)])
    assert "No space left on device; no partial files were left" in str(ended.value.code)
    assert not list(target.rglob("*.edf")) and not [path for path in target.rglob(".*")]


def test_the_command(source, target, capsys):
    cli.main(["convert", "chbmit", str(source), str(target)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line[:1].isspace() or line.split()[0] in ("patients", "seizures")] == [
        ["converted", "published"],
        ["patients", "2", "24"],
        ["seizures", "2", "198"],
    ]
    (source / "chb01/chb01_03.edf").unlink()
    with pytest.raises(SystemExit) as ended:
        cli.main(["convert", "chbmit", str(source), str(target)])
    assert ended.value.code == 1 and "not converted: chb01/chb01_03.edf" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["convert", "siena", str(source), str(target), "--binary"])
    assert ended.value.code == "error: --binary is for tusz, not for siena; leave it out"


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        cli.main(["convert", "--help"])
    text = capsys.readouterr().out
    assert "Example: eegwf convert chbmit " in text
    assert all(name in text for name in ("chbmit", "siena", "tusz", "seizeit2", "helsinki", "--link", "--binary"))
