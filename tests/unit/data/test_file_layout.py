"""Discovery of recordings in any folder layout: patterns, patients, names, faults, links, and what is not read."""

import os
import re
import time
import unicodedata
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from eegwf.config.data import Annotations, Files
from eegwf.config.file_layout import MAX_PATH, FileLayout, check_patient, check_patterns, split_pattern
from eegwf.data.bids import data_files, discover
from eegwf.data.file_layout import find_id, name_recordings, patient_of
from eegwf.data.file_search import Folders, search
from eegwf.errors import InputError

EDF = Annotations(format="edf")
LAYOUT = FileLayout(("p*/*.edf",), "p[0-9]+")


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def found(root, *patterns, patient="p[0-9]+", annotations=EDF):
    return discover(root, annotations, FileLayout(patterns or LAYOUT.recordings, patient))


def names_of(discovery):
    return [recording.recording for recording in discovery.usable]


def test_recordings_patients_and_tables_of_events(tmp_path):
    touch(tmp_path, "p1/a.edf", "p1/a_events.tsv", "p1/b_eeg.EDF", "p1/b_events.tsv", "p02/c.edf", "p02/note.txt")
    read = found(tmp_path, annotations=None)
    assert names_of(read) == ["sub-p1_a", "sub-p1_b"] and [item.patient for item in read.usable] == ["sub-p1"] * 2
    assert list(read.faults) == ["sub-p02_c"] and "c.edf: no c_events.tsv beside it" in read.faults["sub-p02_c"]
    assert [item.patient for item in read.recordings] == ["sub-p02", "sub-p1", "sub-p1"] and read.ignored == ()
    assert read.usable[1].events_path == tmp_path / "p1/b_events.tsv"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["p1/a.edf"], ["p1/a.edf"]),
        (["./p1//a.edf"], ["p1/a.edf"]),
        (["p?/*.edf"], ["p1/a.edf", "p2/b.edf", "p2/B.EDF"]),
        (["p[!1]/*"], ["p2/b.edf", "p2/B.EDF"]),
        (["**/*.edf"], ["p1/a.edf", "p1/x/y/c.edf", "p2/b.edf", "p2/B.EDF", "top.edf"]),
        (["**"], ["p1/a.edf", "p1/x/y/c.edf", "p2/b.edf", "p2/B.EDF", "top.edf"]),
        (["p1/**/*.edf"], ["p1/a.edf", "p1/x/y/c.edf"]),
        (["**/y/**/**/*.edf"], ["p1/x/y/c.edf"]),
        (["*/x/*/*.edf", "top.edf", "*.edf"], ["p1/x/y/c.edf", "top.edf"]),
        ([".hidden/*.edf"], [".hidden/d.edf"]),
        (["derivatives/*.edf"], ["derivatives/d.edf"]),
        (["*/derivatives/*.edf"], ["p1/derivatives/d.edf"]),
        (["p1/.a*.edf"], ["p1/.a.edf"]),
        (["P1/*.edf", "p1/*.txt"], []),
        (["p1/a.edf/*.edf"], []),
    ],
)
def test_patterns(tmp_path, patterns, expected):
    touch(tmp_path, "p1/a.edf", "p1/x/y/c.edf", "p2/b.edf", "p2/B.EDF", "top.edf", "p1/a.txt")
    touch(tmp_path, ".hidden/d.edf", "derivatives/d.edf", "p1/derivatives/d.edf", ".git/d.edf", "p1/.a.edf")
    check_patterns(patterns)
    matches = search(tmp_path, patterns, Folders())
    read = {path.as_posix() for path in matches.files.values() if path.suffix.lower() == ".edf"}
    assert read == set(expected)


def test_no_recording_says_what_was_expected(tmp_path):
    with pytest.raises(
        InputError, match=r"x: no such folder; dataset\.root must be the folder to which dataset\.recordings"
    ):
        found(tmp_path / "x")
    touch(tmp_path, "q1/a.edf")
    with pytest.raises(InputError) as error:
        found(tmp_path)
    assert "no recordings; expected files p*/*.edf (dataset.recordings) with one of the suffixes .edf" in str(
        error.value
    )
    assert "; q1/a.edf: not read, because no pattern of dataset.recordings matches" in str(error.value)
    assert "\n" not in str(error.value)


def test_every_recording_without_patient_is_a_fault(tmp_path):
    touch(tmp_path, "p1/a.edf", "x/a.edf", "x/b.edf", "p/a.edf")
    read = found(tmp_path, "*/*.edf")
    assert names_of(read) == ["sub-p1_a"] and len(read.faults) == 3
    for fault, path in zip(read.faults.values(), ("p/a.edf", "x/a.edf", "x/b.edf"), strict=True):
        assert fault.startswith(f"{tmp_path}/{path}: dataset.patient 'p[0-9]+' finds no id in '{path}'; correct it")
    assert {item.patient for item in read.recordings} == {"unknown", "sub-p1"}
    empty = found(tmp_path, "*/*.edf", patient="^.([^/]*)")
    assert "p/a.edf: dataset.patient '^.([^/]*)' finds no id in 'p/a.edf'" in next(iter(empty.faults.values()))


def test_an_id_without_letters_is_a_fault(tmp_path):
    touch(tmp_path, "--/a.edf", "p1/a.edf")
    read = found(tmp_path, "*/*.edf", patient="^[^/]+")
    assert ["finds '--', without letter or digit, in '--/a.edf'" in fault for fault in read.faults.values()] == [True]


@pytest.mark.parametrize(
    ("one", "two"), [("PN-00", "PN00"), ("PN00", "pn00"), ("sub-PN00", "PN00"), ("PN 00", "PN_00"), ("Pn00", "P.N00")]
)
def test_ids_that_become_the_same_are_faults(tmp_path, one, two):
    """Whether they are one patient or two is unknown: neither is joined silently."""
    touch(tmp_path, f"{one}/a.edf", f"{one}/b.edf", f"{two}/c.edf", "PN01/d.edf")
    read = found(tmp_path, "*/*.edf", patient="^[^/]+")
    assert names_of(read) == ["sub-PN01_d"] and len(read.faults) == 3
    for fault in read.faults.values():
        assert f"{one!r}" in fault and f"{two!r}" in fault and "ids must differ" in fault and "\n" not in fault


@pytest.mark.parametrize(
    ("text", "patient"),
    [
        ("chb01", "sub-chb01"),
        ("01", "sub-01"),
        ("sub-01", "sub-01"),
        ("P N-0.0_1", "sub-PN001"),
        ("Jürgen", "sub-Jürgen"),
        (unicodedata.normalize("NFD", "Jürgen"), "sub-Jürgen"),
        ("--", ""),
        ("sub-", ""),
    ],
)
def test_patient_of(text, patient):
    assert patient_of(text) == patient


def test_names_have_folders_only_if_files_of_a_patient_have_equal_names(tmp_path):
    touch(tmp_path, "p1/day1/rec.edf", "p1/day2/rec.edf", "p1/day2/other.edf", "p2/day1/rec.edf", "p3/a b(1).edf")
    read = found(tmp_path, "**/*.edf")
    expected = ["sub-p1_p1_day1_rec", "sub-p1_other", "sub-p1_p1_day2_rec", "sub-p2_rec", "sub-p3_a-b-1-"]
    assert names_of(read) == expected and not read.faults


def test_a_name_begins_with_the_patient_once():
    names = name_recordings(
        {Path("sub-1/sub-1_task_eeg.edf"): "sub-1", Path("sub-11.edf"): "sub-1", Path("sub-1.edf"): "sub-1"}
    )
    assert list(names.values()) == ["sub-1_task", "sub-1_sub-11", "sub-1"]


@pytest.mark.parametrize(
    "files",
    [
        ("p1/a.edf", "p1/a.bdf"),
        ("p1/a.edf", "p1/A.EDF"),
        ("p1/a b.edf", "p1/a-b.edf"),
        ("p1/a_b/c.edf", "p1/a/b_c.edf", "p1/x/c.edf", "p1/x/b_c.edf"),
    ],
)
def test_recordings_of_one_name_are_faults(tmp_path, files):
    touch(tmp_path, *files, "p2/a.edf")
    read = found(tmp_path, "**")
    (fault,) = read.faults.values()
    assert "duplicate recording sub-p1_" in fault and "; remove or rename one of the files" in fault
    assert files[0] in fault and files[1] in fault and "\n" not in fault
    assert len(read.usable) == len(files) - 1


def test_a_path_that_is_too_long_and_a_name_that_is_too_long(tmp_path):
    touch(tmp_path, f"p1/{'a' * 240}/{'b' * 20}.edf", f"p2/{'c' * 210}.edf", "p3/d.edf")
    read = found(tmp_path, "**")
    assert names_of(read) == ["sub-p3_d"]
    second, first = read.faults.values()
    assert f"the path below dataset.root has 268 characters, at most {MAX_PATH}" in first
    assert "the recording would have the name sub-p2_ccc" in second and len(second) < 600
    assert all(len(recording.recording) < 100 for recording in read.recordings)


def test_links_to_missing_files_and_folders_in_place_of_files(tmp_path):
    touch(tmp_path, "p1/a.edf")
    (tmp_path / "p1/b.edf").symlink_to("missing")
    (tmp_path / "p1/c.edf").mkdir()
    (tmp_path / "p1/d.edf").symlink_to("d.edf")
    read = found(tmp_path)
    assert names_of(read) == ["sub-p1_a"]
    messages = ["b.edf: link to a missing file", "c.edf: a folder, expected a file", "d.edf: link to a missing file"]
    assert all(text in fault for text, fault in zip(messages, read.faults.values(), strict=True))


def test_recordings_that_are_not_read_are_told_in_one_line_for_each_reason(tmp_path):
    touch(tmp_path, "p1/a.edf", "p1/a.set", "p1/a.edf.gz", "p1/b.nwb", "p1/b.txt", ".git/x.edf", "derivatives/x.edf")
    touch(tmp_path, *(f"other/{number}.bdf" for number in range(9)), "p1/.x.edf")
    first, second = found(tmp_path).ignored
    assert first == (
        "other/0.bdf, other/1.bdf, other/2.bdf, other/3.bdf and 5 more: not read, because no pattern of "
        "dataset.recordings matches; add a pattern, or remove them"
    )
    assert second.startswith("p1/b.nwb: not read, because of their format; expected .edf, .bdf")


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    touch(tmp_path, "p1/a.edf", "p2/b.edf")
    scandir = os.scandir

    def refused(folder):
        if str(folder).endswith("p2"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refused)
    (line,) = found(tmp_path).ignored
    assert line == f"{tmp_path}/p2: folders that can't be listed; make them readable"


@pytest.mark.parametrize(
    ("link", "target", "told"),
    [
        ("p1/again", "..", "p1/again: links to folders that are read under another name"),
        ("p1/again", ".", "p1/again: links to folders"),
        ("p0", "p1", "p0: links to folders"),
        ("p9", "p1", "p9: links to folders"),
        ("p1/again", "again", ""),
        ("p9", "missing", ""),
    ],
)
def test_links_in_circles_end_and_folders_are_read_once(tmp_path, link, target, told):
    touch(tmp_path, "p1/a.edf", "p2/b.edf")
    (tmp_path / link).symlink_to(target)
    for patterns in (["**"], ["**/*.edf", "p*/**/*.edf"]):
        read = found(tmp_path, *patterns)
        assert names_of(read) == ["sub-p1_a", "sub-p2_b"] and not read.faults
        assert [line[: len(told)] for line in read.ignored] == [told] * bool(told)
        assert len(list(data_files(tmp_path, EDF, FileLayout(tuple(patterns), "p[0-9]+")))) == 2


def test_many_links_do_not_multiply(tmp_path):
    """Twenty folders, each with links to all others, have more paths than can be searched."""
    for one in range(20):
        touch(tmp_path, f"p{one}/a.edf")
        for other in range(20):
            (tmp_path / f"p{one}/to{other}").symlink_to(f"../p{other}")
    start = time.perf_counter()
    read = found(tmp_path, "**/a.edf", "**/to1/**/to2/**/to3/**/a.edf")
    assert len(read.usable) == 20 and time.perf_counter() - start < 10


def test_patients_that_are_links_to_another_place(tmp_path):
    touch(tmp_path, "all/1/a.edf", "all/2/b.edf", "some/x")
    for number in (1, 2):
        (tmp_path / f"some/p{number}").symlink_to(f"../all/{number}")
    assert names_of(found(tmp_path / "some", "p*/*.edf")) == ["sub-p1_a", "sub-p2_b"]
    assert names_of(found(tmp_path, "some/p*/*.edf")) == ["sub-p1_a", "sub-p2_b"]


def test_names_in_both_unicode_forms(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "pé1") for form in ("NFC", "NFD"))
    touch(tmp_path, f"{composed}/a.edf", f"{decomposed}/b.edf")
    read = found(tmp_path, f"{decomposed}/*.edf", patient=f"^{composed}")
    assert names_of(read) == ["sub-pé1_a", "sub-pé1_b"] and all(item.path.exists() for item in read.usable)


def test_data_files(tmp_path):
    touch(
        tmp_path, "p1/a.vhdr", "p1/a.eeg", "p1/a.vmrk", "p1/a_events.tsv", "p1/a_channels.tsv", "p1/a.txt", "p1/x.edf"
    )
    touch(tmp_path, "q1/b.edf", "q1/b_events.tsv", "list.tse")
    layout = FileLayout(("p1/*.vhdr",), "p1")
    names = [path.name for path in data_files(tmp_path, None, layout)]
    assert names == ["a.vhdr", "a.eeg", "a.vmrk", "a_channels.tsv", "a_events.tsv"]
    others = list(data_files(tmp_path, Annotations(format="tse", file="../list.tse"), layout))
    assert [path.name for path in others] == [*names, "list.tse"]
    assert list(data_files(tmp_path / "nowhere", EDF, layout)) == []
    # Their paths do not depend on the place of the data set.
    assert all(path.is_relative_to(tmp_path) for path in others)


def test_annotations_of_other_formats(tmp_path):
    touch(tmp_path, "p1/a.edf", "p1/p1-summary.txt", "p2/b.edf", "p2/b.csv_bi", "p2/sub-p2.x")
    read = found(tmp_path, annotations=Annotations(format="chbmit"))
    assert read.usable[0].events_path.name == "p1-summary.txt" and "found none" in read.faults["sub-p2_b"]
    read = found(tmp_path, annotations=Annotations(format="tusz"))
    assert read.usable[0].events_path.name == "b.csv_bi"
    assert found(tmp_path, annotations=Annotations(format="tusz", file="{patient}.x")).usable[0].patient == "sub-p2"


def dataset(**values):
    return Files(**{"kind": "files", "root": "x", "recordings": "p*/*.edf", "patient": "p[0-9]+", **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"recordings": "/data/*.edf"}, "is an absolute path; write it relative to dataset.root"),
        ({"recordings": "~/x/*.edf"}, "is an absolute path"),
        ({"recordings": "C:/x/*.edf"}, "is an absolute path"),
        ({"recordings": "p1\\*.edf"}, "has a backslash; write / between folders"),
        ({"recordings": "../*.edf"}, "leaves dataset.root by '..'"),
        ({"recordings": ["*.edf", "p*/../../*.edf"]}, "pattern 'p*/../../*.edf' leaves"),
        ({"recordings": "*.{edf,bdf}"}, "has a brace, which is no wildcard; write a list"),
        ({"recordings": ""}, "names no files"),
        ({"recordings": "./"}, "names no files"),
        ({"recordings": "p1/"}, "names no files; add that of the recordings"),
        ({"recordings": "p**/*.edf"}, "has ** within a name"),
        ({"recordings": "a\n*.edf"}, "can't be printed"),
        ({"recordings": "a\0*.edf"}, "can't be printed"),
        ({"recordings": []}, "has 0 patterns, expected 1 to 100"),
        ({"recordings": ["*.edf"] * 101}, "has 101 patterns"),
        ({"recordings": "*" * 201}, "a pattern has 201 characters, at most 200"),
        ({"patient": ""}, "has 0 characters, expected 1 to 200"),
        ({"patient": "a" * 201}, "has 201 characters"),
        ({"patient": "(p"}, "is no regular expression: missing ), unterminated subpattern at position 0"),
        ({"patient": "p**"}, "is no regular expression"),
        ({"patient": "a{99999999999}"}, "is no regular expression"),
        ({"patient": "[[a]p"}, "is no regular expression: Possible nested set at position 1"),
        ({"patient": "(p+)+"}, "repeats a group"),
        ({"patient": "(p|p)*x"}, "repeats a group"),
        ({"patient": "(p+){2}"}, "repeats a group"),
        ({"patient": "(?x)(a+) +"}, "has a special group"),
        ({"patient": "(a+)(?#x)+"}, "has a special group"),
        ({"patient": ".*.*.*.*x"}, "has 4 repetitions"),
        ({"patient": "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)x"}, "has 6 choices"),
    ],
)
def test_patterns_that_are_refused(values, message):
    with pytest.raises(ValidationError, match=re.escape(message)) as error:
        dataset(**values)
    assert len(error.value.errors()) == 1 and "\n" not in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "pattern",
    [
        "(chb[0-9]+)",
        r"chb\d+",
        "^([^/]+)/",
        "^edf/[^/]+/([^/]+)/",
        "([a-z0-9]{8})_s[0-9]{3}",
        "(?:chb|pn)([0-9]+)",
        "(?i)pn-?[0-9]+",
        "(?P<id>p[*+?|]+)",
        r"\(\w+?\)",
        "(?<=/)[0-9]+(?=_)",
        "[^]/]+",
        "(p1)?x",
        "a++b",
    ],
)
def test_patterns_that_are_accepted(pattern):
    assert dataset(patient=pattern).patient == pattern
    assert dataset(recordings=["**/*.edf", "[{]a[}]/*.bdf"]).layout.recordings == ("**/*.edf", "[{]a[}]/*.bdf")


@pytest.mark.parametrize("pattern", [".*.*.*!", r"(\w*)(\w*)(\w*)-", r"(a?a?a?a?a?)(\w*)(\w*)!", "(a*?)(a*?)(a*?)!"])
def test_a_slow_pattern_ends(pattern):
    start = time.perf_counter()
    assert find_id(Path("a" * MAX_PATH), check_patient(pattern)) is None
    assert time.perf_counter() - start < 20
    assert find_id(Path("p1" * MAX_PATH), "p1") is None


parts = st.text("ab*?[]!.-é", min_size=1, max_size=5).filter(lambda part: "**" not in part and part not in (".", ".."))
patterns = st.lists(parts | st.just("**"), min_size=1, max_size=4).map("/".join)
tree = st.lists(
    st.lists(st.sampled_from(["a", "b", "ab", "a.b", "é", ".a", "a-b"]), min_size=1, max_size=4), min_size=1, max_size=8
)


def matches_by_definition(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path has a pattern, tried in all ways."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return matches_by_definition(path, pattern[1:]) or (
            bool(path) and not path[0].startswith(".") and matches_by_definition(path[1:], pattern)
        )
    literal = not re.search(r"[*?[]", pattern[0])
    hidden = bool(path) and path[0].startswith(".") and not pattern[0].startswith(".")
    same = path and (path[0] == pattern[0] if literal else fnmatchcase(path[0], pattern[0]) and not hidden)
    return bool(same) and matches_by_definition(path[1:], pattern[1:])


@settings(max_examples=300, deadline=None)
@given(patterns, tree)
def test_the_search_finds_what_the_pattern_means(tmp_path_factory, pattern, places):
    try:
        check_patterns(pattern)
    except ValueError:
        return
    root = tmp_path_factory.mktemp("tree")
    for place in places:
        folder = root.joinpath(*(f"{part}" for part in place[:-1]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place[-1]}x").touch()
    expected = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if matches_by_definition(path.relative_to(root).parts, split_pattern(pattern))
    }
    matches = search(root, [pattern], Folders())
    assert {path.as_posix() for path in matches.files.values()} == expected and not matches.again


@settings(max_examples=500, deadline=None)
@given(st.text("ab1/._-*+?|(){}[]^$\\dws,:=!<>PiéÀ \t\n\0", max_size=24), st.text("ab1/_-.é", max_size=40))
def test_every_accepted_expression_is_searched_and_every_other_is_refused_in_one_line(pattern, path):
    try:
        check_patient(pattern)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    start = time.perf_counter()
    found = find_id(Path(path), pattern)
    assert time.perf_counter() - start < 5
    assert found is None or isinstance(found, str)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_every_pattern_stays_in_the_data_set_or_is_refused_in_one_line(pattern):
    try:
        check_patterns(pattern)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    pure = PurePosixPath(*split_pattern(pattern))
    assert not pure.is_absolute() and ".." not in pure.parts and pure.parts


words = st.text("abAB01 _-./()éß", min_size=1, max_size=10).filter(
    lambda text: "/" not in text and text not in (".", "..")
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["sub-1", "sub-11", "sub-a"]), words, words), max_size=12, unique=True))
def test_names_are_valid_file_names_and_equal_ones_are_seen_as_such(rows):
    patients = {Path(patient, folder, f"{stem}.edf"): patient for patient, folder, stem in rows}
    names = name_recordings(patients)
    assert list(names) == list(patients)
    for path, name in names.items():
        assert re.fullmatch(r"[\w.-]+", name) and f"{name}_".startswith(f"{patients[path]}_")
    assert len({name.casefold() for name in names.values()}) == len(set(names.values()))
    assert name_recordings(dict(reversed(patients.items()))).keys() == names.keys()
