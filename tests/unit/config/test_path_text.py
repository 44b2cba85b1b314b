"""Paths of the configuration: expanded once, and the same in the configuration, the rules and the records."""

import json

import pytest

from eegwf.config.load import load_study
from eegwf.config.path_text import escape_paths, expand_path
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError

BIDS = {"kind": "bids", "root": "data"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder, with a home folder and a variable of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOT_SET", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("./x", "x"),
        ("x/", "x"),
        ("a//b/./c", "a/b/c"),
        ("a/../x", "x"),
        ("../work/x", "x"),
        ("../x", "../x"),
        ("~/x", "HERE/home/x"),
        ("~", "HERE/home"),
        ("a~/x", "a~/x"),
        ("$SCRATCH/x", "HERE/scratch/x"),
        ("${SCRATCH}/x/", "HERE/scratch/x"),
        ("HERE//a/../b", "HERE/b"),
        ("/data/my $$folder", "/data/my $folder"),
        ("./~x", "~x"),
    ],
)
@pytest.mark.parametrize("key", ["results", "root", "data_root", "folds", "image", "arrays"])
def test_path_is_expanded_and_has_one_spelling(root, place, key, text, expected):
    text, expected = text.replace("HERE", str(place)), expected.replace("HERE", str(place))
    files = {name: f"{text}/{name}{{fold}}.npy" for name in ("data", "labels", "patients")}
    arrays = {"kind": "fold_arrays", "label_names": {0: "bckg"}, "arrays": {"mel": files}}
    settings = {
        "results": {"results": text},
        "root": {"dataset": {"kind": "bids", "root": text}},
        "data_root": {"dataset": BIDS, "data_root": text},
        "folds": {"folds": text},
        "image": {"cluster": {"image": text}},
        "arrays": {"dataset": arrays},
    }[key]
    study = load_study(root / "config/config.yaml", [], settings)
    found = {
        "results": lambda: study.results,
        "root": lambda: study.dataset.root,
        "data_root": lambda: study.dataset.root,
        "folds": lambda: study.folds,
        "image": lambda: study.cluster.image,
        "arrays": lambda: study.dataset.arrays["mel"].data.removesuffix("/data{fold}.npy"),
    }[key]()
    assert found == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "$NOT_SET/x",
            "the environment variable NOT_SET is not set; set it, write the path itself, or $$ for a dollar",
        ),
        ("${NOT_SET}", "the environment variable NOT_SET is not set"),
        ("$EMPTY/x", "the environment variable EMPTY is empty"),
        ("${SCRATCH:-/tmp}/x", "expected the name of a variable after $; write $$ for a dollar sign"),
        ("cost$", "expected the name of a variable after $"),
        ("$(pwd)/x", "expected the name of a variable after $"),
        ("~no-such-user/x", "no home folder of this user; write the path itself, or ./~no-such-user/x"),
    ],
)
@pytest.mark.parametrize("key", ["results", "dataset.root"])
def test_path_that_cannot_be_expanded_is_refused(root, place, key, text, fault):
    value = f"results: '{text}'\n" if key == "results" else f"dataset: {{kind: bids, root: '{text}'}}\n"
    (place / "mine.yaml").write_text(value)
    with pytest.raises(InputError) as caught:
        load_study(root / "config/config.yaml", [place / "mine.yaml"])
    assert str(caught.value).startswith(f"{place}/mine.yaml: {key}: {text}: {fault}")


def test_all_paths_that_cannot_be_expanded_are_listed(root, place):
    with pytest.raises(InputError) as caught:
        load_study(root / "config/config.yaml", [], {"results": "$A_1", "dataset": {"kind": "bids", "root": "$A_2"}})
    assert sorted(line.split(":")[1].strip() for line in str(caught.value).splitlines()) == ["dataset.root", "results"]


def test_variable_of_a_root_that_the_command_line_replaces_need_not_be_set(root, place):
    (place / "mine.yaml").write_text("dataset: {kind: bids, root: $NOT_SET}\n")
    study = load_study(root / "config/config.yaml", [place / "mine.yaml"], {"data_root": "$SCRATCH/bids"})
    assert study.dataset.root == f"{place}/scratch/bids"
    with pytest.raises(InputError, match=r"--config data_root: \$NOT_SET: the environment variable NOT_SET is not set"):
        load_study(root / "config/config.yaml", [place / "mine.yaml"], {"data_root": "$NOT_SET"})


@pytest.mark.parametrize("folder", ["results/{run}", "a}b", "{}"])
def test_results_folder_with_braces_is_refused(root, place, folder):
    with pytest.raises(InputError, match=r"--config: results: .*: braces stand for wildcards"):
        load_study(root / "config/config.yaml", [], {"results": folder})


def test_parent_of_a_symbolic_link_is_not_guessed(place):
    (place / "far/away").mkdir(parents=True)
    (place / "work/link").symlink_to(place / "far/away")
    with pytest.raises(InputError, match=f"results: link/../x: .. leaves a symbolic link; write {place}/far/x"):
        expand_path("link/../x", "results")
    (place / "work/near").mkdir()
    assert expand_path("near/../link/x", "results") == "link/x"


def test_scratch_is_expanded_on_the_node_alone(root, place):
    for text in ("$NOT_SET", "${SCRATCH}/x", "~/x"):
        assert load_study(root / "config/config.yaml", [], {"cluster": {"scratch": text}}).cluster.scratch == text


@pytest.mark.parametrize("folder", ["/data/a$b", "~x", "/data/$HOME", "results/x", "$$"])
def test_recorded_path_is_not_expanded_again(root, place, folder):
    """A repetition of a run writes the recorded configuration into a file and reads it."""
    config = {"results": folder, "dataset": {"kind": "bids", "root": folder}, "folds": "leave-one-patient-out"}
    (place / "published.yaml").write_text(json.dumps(escape_paths(config)))
    study = load_study(root / "config/config.yaml", [place / "published.yaml"])
    assert (study.results, study.dataset.root, study.folds) == (folder, folder, "leave-one-patient-out")


@pytest.mark.parametrize("results", ["./x", "~/x", "$SCRATCH/x", "a/../x", "x//"])
def test_files_of_the_rules_have_the_spelling_of_the_targets(root, place, results):
    flow = read_flow(root / "config/config.yaml", [], {"results": results})
    assert flow.results == expand_path(results, "")
    assert flow.reports() == [f"{flow.results}/vit_mel_3class/report.html"]
    flow.check_targets(flow.reports())
    spelled = f"{results}/vit_mel_3class/report.html"
    if results[0] in "~$":
        with pytest.raises(InputError) as caught:
            flow.check_targets(["--", spelled])
        assert str(caught.value) == f"{spelled}: Snakemake takes targets literally; write {flow.reports()[0]}"
    else:  # Snakemake shortens it
        flow.check_targets([spelled])
        with pytest.raises(InputError, match="no model 'vti'"):
            flow.check_targets([spelled.replace("vit_", "vti_")])


def test_absolute_target_is_refused_with_the_spelling_of_the_results(root, place):
    flow = read_flow(root / "config/config.yaml", [], {"results": f"{place}/r/"})
    with pytest.raises(InputError, match=f"write {place}/r/data/folds.tsv"):
        flow.check_targets([f"{place}//r/data/folds.tsv"])
    flow.check_targets([f"{place}/r/data/folds.tsv", "", "2"])
