"""Tables as programs export them: one right reading with a note, or a message that names the cell."""

import pytest

from eegwf.data.event_tables import read_events
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

RULES = EventRules(["bckg", "sz", "impd"])
EVENTS = [Event(8.5, 12.0, "sz_foc"), Event(25.0, 2.25, "bckg")]
PLAIN = "onset\tduration\teventType\tcomment\n8.5\t12\tsz_foc\tfirst\n25\t2.25\tbckg\tsecond\n"


def read(folder, content, notes=None):
    path = folder / "sub-01_events.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_events(path, 40.0, RULES, notes)


def test_a_plain_table_has_no_notes(tmp_path):
    notes = []
    for content in (PLAIN, PLAIN.replace("\n", "\r\n"), "\ufeff" + PLAIN, PLAIN.replace("\n", "\n\n"), PLAIN.rstrip()):
        assert read(tmp_path, content, notes) == EVENTS
    assert notes == []


FORMS = {
    "R, quotes and row names, tabs": (
        '"onset"\t"duration"\t"eventType"\n"1"\t8.5\t12\t"sz_foc"\n"2"\t25\t2.25\t"bckg"\n',
        ["quotes around cells removed", "first column, which has no name, not read"],
    ),
    "R, quotes, no row names": (
        '"onset"\t"duration"\t"eventType"\n8.5\t12\t"sz_foc"\n25\t2.25\t"bckg"\n',
        ["quotes around cells removed"],
    ),
    "R, defaults of write.table": (
        '"onset" "duration" "eventType"\n"1" 8.5 12 "sz_foc"\n"2" 25 2.25 "bckg"\n',
        ["columns separated by blanks", "quotes around cells removed", "first column, which has no name, not read"],
    ),
    "R, write.csv": (
        '"","onset","duration","eventType"\n"1",8.5,12,"sz_foc"\n"2",25,2.25,"bckg"\n',
        ["columns separated by commas", "quotes around cells removed"],
    ),
    "R, write.csv2": (
        '"";"onset";"duration";"eventType"\n"1";8,5;12;"sz_foc"\n"2";25;2,25;"bckg"\n',
        ["columns separated by semicolons", "quotes around cells removed", "numbers with decimal commas"],
    ),
    "only labels quoted": (
        'onset\tduration\teventType\n8.5\t12\t"sz_foc"\n25\t2.25\t"bckg"\n',
        ["quotes around cells removed"],
    ),
    "quotes, and a separator at the end of each line": (
        '"onset","duration","eventType"\n"8.5","12","sz_foc",\n"25","2.25","bckg",\n',
        ["columns separated by commas", "quotes around cells removed"],
    ),
    "commas within a quoted comment": (
        'onset,duration,eventType,comment\n8.5,12,sz_foc,"left, then right"\n25,2.25,bckg,\n',
        ["columns separated by commas"],
    ),
    "decimal commas and tabs": (
        "onset\tduration\teventType\n8,5\t12\tsz_foc\n25\t2,25\tbckg\n",
        ["numbers with decimal commas"],
    ),
    "decimal commas, one of which alone would be ambiguous": (
        "onset\tduration\teventType\n8,500\t12,00\tsz_foc\n25,000\t2,250\tbckg\n",
        ["numbers with decimal commas"],
    ),
    "decimal commas in quotes, separated by commas": (
        'onset,duration,eventType\n"8,5",12,sz_foc\n25,"2,25",bckg\n',
        ["columns separated by commas", "numbers with decimal commas"],
    ),
    "UTF-16 with a byte-order mark": (PLAIN.encode("utf-16"), ["table in UTF-16"]),
    "UTF-16, big-endian": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), ["table in UTF-16"]),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), ["table in UTF-16"]),
    "UTF-32": (PLAIN.encode("utf-32"), ["table in UTF-32"]),
    "byte-order mark within the header": (
        PLAIN.replace("eventType", "\ufeffeventType"),
        ["invisible characters removed in line 1"],
    ),
    "byte-order mark before a label": (
        PLAIN.replace("sz_foc", "\ufeffsz_foc"),
        ["invisible characters removed in line 2"],
    ),
    "two byte-order marks": ("\ufeff\ufeff" + PLAIN, ["invisible characters removed in line 1"]),
    "no-break and zero-width spaces": (
        PLAIN.replace("25\t", "25\u00a0\t").replace("bckg", "\u200bbckg"),
        ["invisible characters removed in line 3"],
    ),
    "a comment in Latin-1": (
        PLAIN.replace("first", "Anfall, rhythmisch, Übergang").encode("latin-1"),
        ["bytes in line 2 that are not UTF-8, in a column that is not read"],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_that_has_one_meaning_is_read_with_a_note(tmp_path, form):
    content, expected = FORMS[form]
    notes = []
    assert read(tmp_path, content, notes) == EVENTS
    assert sorted(notes) == sorted(expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # All commas are followed by three digits.
        ("onset\tduration\teventType\n1,234\t12\tsz\n", "line 2: onset is '1,234', which may be 1.234 or 1234; write"),
        ("onset;duration;eventType\n12;1,234\nx;1,5;sz\n", "line 2: 2 cells, but the header has 3"),
        (
            "onset\tduration\teventType\n8,5\t12\tsz\n20\t1.5\tsz\n",
            r"line 2: onset is '8,5', with a comma, but duration in line 3 is '1\.5'",
        ),
        ("onset\tduration\teventType\n1,234.5\t12\tsz\n", r"line 2: onset is '1,234\.5', not a number"),
        ("onset\tduration\teventType\n1\t1,234,567\tsz\n", "line 2: duration is '1,234,567', not a number"),
        # A decimal comma where commas separate the columns.
        ("onset,duration,eventType\n8,5,12,sz\n", "line 2: 4 cells, but the header has 3; .*decimal points"),
        ("onset,duration,eventType\n4,5,sz\n8,5,12,sz\n", "line 3: 4 cells, but the header has 3; .*decimal points"),
        (
            "onset\tduration\teventType\n8\t5\tAnfall_\xfc\n".encode("latin-1"),
            r"line 2, column eventType: 'Anfall_\\xfc' is not in UTF-8",
        ),
        (
            "onset\tduration\ttrial_type\n8\xa05\t5\tsz\n".encode("latin-1"),
            r"line 2, column onset: '8\\xa05' is not in UTF-8",
        ),
        ("onset\tduration\n8\t5\n", r"line 1: no column eventType \(or trial_type\); found onset, duration\. Add it"),
        ("onset\tdur\u0430tion\teventType\n", r"line 1: no column duration; found onset, dur\\u0430tion, eventType"),
        ("", "line 1: no column onset and no duration and no eventType .*found an empty file"),
        (b"\xff\xfe" + b"o\0n", "not a table in UTF-8 or UTF-16"),
        (b"0       \x00\x01\x02 binary", "not a table in UTF-8 or UTF-16 .*bytes of value 0"),
    ],
)
def test_any_other_table_is_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, content)
    assert "\n" not in str(error.value) and str(error.value).isprintable()


def test_an_unclosed_quote_hides_no_row(tmp_path):
    content = 'onset,duration,eventType,comment\n1,2,sz,"open\n5,2,sz,\n9,2,sz,"closed"\n'
    assert [event.onset for event in read(tmp_path, content)] == [1, 5, 9]
    tabs = 'onset\tduration\teventType\tcomment\n1\t2\tsz\t"open\n5\t2\tsz\t\n9\t2\tsz\t"\n'
    assert [event.onset for event in read(tmp_path, tabs)] == [1, 5, 9]
