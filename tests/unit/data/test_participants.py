"""Groups of patients: bands at their edges, texts, and tables as other programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.participants import UNKNOWN, band_names, participants_path, read_groupings
from eegwf.errors import InputError


@pytest.fixture
def groups_of(tmp_path):
    """Groups of a table of these bytes, by patient."""

    def read(content, columns, patients=None):
        data = content if isinstance(content, bytes) else content.encode()
        participants_path(tmp_path).write_bytes(data)
        return read_groupings(participants_path(tmp_path), columns, patients or {})

    return read


def test_an_edge_belongs_to_the_band_above_it(groups_of):
    rows = ["participant_id\tage", "sub-1\t17.999", "sub-2\t18", "sub-3\t64.9", "sub-4\t65", "sub-5\tn/a", "sub-6\t-1"]
    found = groups_of("\n".join(rows), {"age": [18, 65]})["age"]
    assert found.names == ["< 18", "18 to < 65", ">= 65"] == band_names([18, 65])
    assert found.group_of == {
        "sub-1": "< 18", "sub-2": "18 to < 65", "sub-3": "18 to < 65", "sub-4": ">= 65", "sub-6": "< 18"
    }  # fmt: skip
    assert found.of("sub-5") == found.of("sub-7") == UNKNOWN
    assert band_names([0.5]) == ["< 0.5", ">= 0.5"]


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=6, unique=True).map(sorted),
    st.lists(st.integers(-20000, 20000).map(lambda n: n / 10), min_size=1, max_size=30),
)
def test_every_number_is_in_the_band_whose_edges_enclose_it(tmp_path_factory, edges, values):
    path = participants_path(tmp_path_factory.mktemp("table"))
    path.write_text("participant_id\tx\n" + "".join(f"sub-{n}\t{value}\n" for n, value in enumerate(values)))
    found = read_groupings(path, {"x": edges}, {})["x"]
    bounds = [float("-inf"), *edges, float("inf")]
    for n, value in enumerate(values):
        number = found.names.index(found.of(f"sub-{n}"))
        assert bounds[number] <= value < bounds[number + 1]


@pytest.mark.parametrize(
    "content",
    [
        "participant_id\tsex\tsite\nsub-01\tf\tA\nsub-02\tm\tB\n",
        "\ufeffparticipant_id\tsex\tsite\r\nsub-01\tf\tA\r\nsub-02\tm\tB\r\n",
        '"participant_id","sex","site"\n"sub-01","f","A"\n"sub-02","m","B"\n',
        "site;participant_id;sex\nA; sub-01 ;f\nB;sub-02;m\n",
        "participant_id\tsex\tsite\n01\tf\tA\n02\tm\tB\n",
        "participant_id\tsex\tsite\nsub-01\tf\tA\nsub-02\tm\tB\nsub-03\tN/A\tn/a\n\n",
        "participant_id\tsex\tsite\nsub-01\tf\tA\nsub-02\tm\tB\n".encode("utf-16"),
    ],
)
def test_tables_of_other_programs_are_read(groups_of, content):
    found = groups_of(content, {"sex": None, "site": None})
    assert found["sex"].names == ["f", "m"] and found["site"].names == ["A", "B"]
    assert found["sex"].group_of == {"sub-01": "f", "sub-02": "m"}


def test_two_ids_of_a_person_have_the_first_value_with_a_note(groups_of):
    table = "participant_id\tsex\nsub-01\tf\nsub-21\tm\nsub-02\tn/a\nsub-22\tm\nsub-03\tf\nsub-03\tf\n"
    found = groups_of(table, {"sex": None}, {"sub-21": "sub-01", "sub-22": "sub-02"})["sex"]
    assert found.group_of == {"sub-01": "f", "sub-02": "m", "sub-03": "f"}
    assert found.notes == ["participants.tsv: several groups by sex of sub-01; the first row counts"]


def test_ids_are_compared_in_one_unicode_form(groups_of):
    assert groups_of("participant_id\tsex\nsub-é\tf\n", {"sex": None})["sex"].of("sub-é") == "f"


def test_ages_that_are_capped_are_in_the_last_band_that_is_certain(groups_of):
    assert groups_of("participant_id\tage\nsub-1\t89+\n", {"age": [18, 65]})["age"].of("sub-1") == ">= 65"
    with pytest.raises(InputError, match=r"line 2, column age: 89\+ may be below or above 90; choose edges of 89"):
        groups_of("participant_id\tage\nsub-1\t89+\n", {"age": [18, 90]})


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("participant_id\tgender\nsub-1\tf\n", {"sex": None}, r"line 1: no column sex; found participant_id, gender"),
        ("id\tsex\nsub-1\tf\n", {"sex": None}, r"line 1: no column participant_id; found id, sex"),
        ("", {"sex": None}, r"line 1: no column participant_id and no sex; found an empty file"),
        ("participant_id\tage\nsub-1\told\n", {"age": [18]}, r"line 2, column age: not a number, expected one or n/a"),
        ("participant_id\tage\nsub-1\tinf\n", {"age": [18]}, r"line 2, column age: not a number"),
        ("participant_id\tsex\nsub-1\n", {"sex": None}, r"line 2: 1 cells, but the header has 2"),
        (b"participant_id\tsex\nsub-1\t\xff\n", {"sex": None}, r"line 2, column sex: .* is not in UTF-8"),
        (
            "participant_id\tyears\nsub-1\t30\nsub-2\t41\nsub-3\t7\n",
            {"years": None},
            r"column years: 3 of 3 numbers occur once, so they are no groups; write the edges of bands",
        ),
        (
            "participant_id\tname\n" + "".join(f"sub-{n}\tn{n}\n" for n in range(21)),
            {"name": None},
            r"column name: 21 different values, expected at most 20",
        ),
    ],
)
def test_a_table_that_can_not_be_divided_is_refused_in_one_line(groups_of, content, columns, message):
    with pytest.raises(InputError, match=message) as caught:
        groups_of(content, columns)
    assert "\n" not in str(caught.value)


def test_numbers_that_are_codes_are_groups(groups_of):
    table = "participant_id\tsite\n" + "".join(f"sub-{n}\t{n % 3}\n" for n in range(12))
    assert groups_of(table, {"site": None})["site"].names == ["0", "1", "2"]


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"participants.tsv: no such file, but evaluation.subgroups names .* 'sex'"):
        read_groupings(participants_path(tmp_path), {"sex": None}, {})
