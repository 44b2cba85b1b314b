"""The report: its numbers are those of the files, whatever names and gaps the files have."""

import html
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.errors import InputError
from eegwf.jobs.report import report_combination
from eegwf.provenance.git import commit
from eegwf.report.data import collect
from eegwf.report.drawing import edges, spaced_in_log, thin
from eegwf.report.figures_maps import map_figures, pool_maps
from eegwf.report.formats import duration, number, score
from eegwf.report.provenance import timing
from eegwf.report.selection import fold_scores
from eegwf.report.statement import smaller_than_study, why_no_events
from eegwf.storage.files import read_json, write_json, write_table
from tests.helpers.report_study import ROOT, write_study

HOSTILE = ["<script>alert(1)</script>", "a & b", 'q" onload="x', "$\\frac{1}{0$", "--><b>x", "{{ 7 * 7 }}", "#010203"]


def report(results, config, spectrogram="mel", classes="2class"):
    """Write the report and return the page and the tables on it, by caption."""
    output = results / f"vit_{spectrogram}_{classes}" / "report.html"
    report_combination(config, results, "vit", spectrogram, classes, output)
    page = output.read_text(encoding="utf-8")
    tables = {}
    for part in re.findall(r"<table>.*?</table>", page, flags=re.DOTALL):
        part = part.replace('<span class="interval">', '<span class="interval"> ')
        root = ET.fromstring(html_to_xml(part))
        rows = [["".join(cell.itertext()).strip() for cell in row] for row in root.iter("tr")]
        tables["".join(root.find("caption").itertext())] = rows
    return page, tables


def html_to_xml(text):
    """Named entities that XML does not know, resolved."""
    return re.sub(r"&(?!amp;|lt;|gt;|quot;|#)(\w+);", lambda found: html.unescape(found[0]), text)


class Tags(HTMLParser):
    """Names of a page's elements and of their attributes, as a browser sees them."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attributes)


def column(rows, name):
    """Cells of a column of a table by row name."""
    at = rows[0].index(name)
    return {row[0]: row[at] for row in rows[1:]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of two classes, its configuration, page and tables."""
    results = tmp_path_factory.mktemp("study")
    config = write_study(results)
    return results, config, *report(results, config)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A study with hostile names, a class without windows and recordings without times."""
    results = tmp_path_factory.mktemp("odd")
    config = write_study(results, classes="3class", absent="sz_gen", timed=False, patients=HOSTILE)
    return results, config, *report(results, config, classes="3class")


def test_scores_on_the_page_are_those_of_metrics_json(made):
    results, _, page, tables = made
    metrics = read_json(results / "vit_mel_2class/metrics.json")
    members = next(rows for name, rows in tables.items() if name.startswith("Every member"))
    for name, of in metrics["members"].items():
        for key, title in (("balanced_accuracy", "balanced accuracy"), ("auprc", "AUPRC"), ("macro_f1", "macro F1")):
            entry = of[key]
            expected = f"{entry['value']:.3f} {entry['low']:.3f} to {entry['high']:.3f}"
            assert column(members, title)[name] == expected
    per_class = next(rows for name, rows in tables.items() if name.startswith("Each class"))
    for label, of in metrics["members"]["ensemble"]["per_class"].items():
        assert column(per_class, "windows")[label] == str(of["n_windows"])
        assert column(per_class, "precision")[label].startswith(f"{of['precision']['value']:.3f} ")
    values = re.findall(r'<p class="value[^>]*>(.*?)</p>', page)
    keys = ("balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc")
    assert values == [f"{metrics['members']['ensemble'][key]['value']:.3f}" for key in keys]
    positive = metrics["members"]["ensemble"]["per_class"]["seizure"]["n_windows"] / metrics["n_windows"]
    floors = re.findall(r'<p class="floor[^>]*>(.*?)</p>', page)
    assert floors[-1] == f"chance {positive:.3f}"
    assert f"majority {metrics['floors']['majority']['accuracy']:.3f}" in floors[2]
    for sentence in metrics["alarms"]:
        assert sentence in html.unescape(page)


def test_optimism_is_the_tuned_value_minus_the_test_score_of_the_same_parameters(made):
    results, config, _, tables = made
    folder = results / "vit_mel_2class"
    table = pd.read_csv(folder / "predictions.tsv", sep="\t").dropna(subset="label")
    table = table[table["member"] == "rank1"]
    differences = []
    rows = column(
        next(rows for name, rows in tables.items() if name.startswith("Outer folds")), "optimism (tuned − test rank1)"
    )
    for fold, own in table.groupby("fold"):
        tuned = pd.read_csv(folder / f"fold{fold}/tune/trials.tsv", sep="\t")["value"].max()
        differences.append(tuned - balanced_accuracy_score(own["label"], own["predicted"]))
        assert float(rows[str(fold)].replace("−", "-")) == pytest.approx(differences[-1], abs=5e-4)
    pooled = rows["mean"].replace("−", "-").split()[0]  # its interval stands behind it
    assert float(pooled) == pytest.approx(np.mean(differences), abs=5e-4)
    config = {**config, "training": {**config["training"], "monitor": "loss"}}
    found = fold_scores(collect(config, results, "vit", "mel", "2class"))
    assert all(one.tuned is None and one.optimism is None and one.first is not None for one in found)


def test_page_needs_nothing_from_outside_and_every_figure_says_what_it_shows(made):
    _, _, page, _ = made
    assert len(page) < 5e6
    assert not re.search(r"""(?:src|href|action|data)\s*=\s*["'](?!#|data:)""", page)
    assert not re.search(r"url\((?!#|data:)|@import|<script|<iframe|<object", page)
    figures = re.findall(r"<svg [^>]*>", page)
    assert len(figures) == page.count("<svg") == 1 + 2 + 3 + 2 + 3 + 1 + 3 + 7 + 1
    for figure in figures:
        assert 'role="img"' in figure and re.search(r'aria-label="[^"]*\d[^"]*"', figure)
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert not re.search(r"#0102[01][0-9a-f]", page), "a stand-in colour was left"


def test_the_same_files_give_the_same_page_but_for_the_time(made, tmp_path):
    results, config, page, _ = made
    report_combination(config, results, "vit", "mel", "2class", tmp_path / "report.html")
    stamp = r"\d{4}-\d\d-\d\dT[\d:]+\+00:00"
    assert re.sub(stamp, "", (tmp_path / "report.html").read_text()) == re.sub(stamp, "", page)


def test_says_that_a_demonstration_on_invented_recordings_is_no_result(made):
    results, config, page, _ = made
    assert "say nothing about patients" in " ".join(page.split()) and "A demonstration, not a result" in page
    assert "window: 5 s instead of 20 s (4 times shorter)" in page
    assert "mel grid: 6 × 5 instead of 100 × 100" in page
    full = json.loads(json.dumps(config))
    full["tuning"]["trials"] = full["training"]["epochs"] = 100
    full["windows"]["length"] = 20.0
    run = collect(full, results, "vit", "mel", "2class")
    assert [told.split(":")[0] for told in smaller_than_study(run)] == ["mel grid"]


def test_excluded_recordings_borderline_windows_and_failed_trials_are_shown(made):
    _, _, page, tables = made
    recordings = tables["Recordings: 9 used, 1 left out"]
    assert recordings[1][0] == "bad rec" and recordings[1][-1] == "b.edf: <b>cut</b> short"
    assert column(tables["Windows by event type"], "windows")["borderline"] == "27"
    trials = tables["Trials of every fold"]
    assert trials[-1] == ["all", "18", "12", "3", "3", "0", ""]
    assert column(trials, "why they failed")["1"] == "out of <memory>"
    assert tables["Leak gate"][1] == ["patient in two folds", "9 patients", "0", ""]
    assert column(tables["What the maps average, all folds"], "zero everywhere")["background"] == "3"
    assert "found (sensitivity" in page


def test_hostile_names_are_text(odd):
    _, _, page, tables = odd
    tags = Tags()
    tags.feed(page)
    assert not {"script", "b"} & tags.names and not [name for name in tags.attributes if name.startswith("on")]
    rows = next(rows for name, rows in tables.items() if name.startswith("Every patient"))
    assert {row[0] for row in rows[1:]} == set(HOSTILE)
    figures = "".join(re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL))
    assert "a &amp; b" in figures and "&lt;script&gt;" in figures
    assert "currentColor (" not in figures
    ET.fromstring(f'<div xmlns:xlink="x">{figures}</div>')


def test_undefined_scores_and_missing_events_are_explained(odd):
    results, config, page, tables = odd
    assert read_json(results / "vit_mel_3class/metrics.json")["members"]["ensemble"]["auroc"]["value"] is None
    assert re.findall(r'<p class="value[^>]*>(.*?)</p>', page)[3] == "undefined"
    assert "no window of generalized to score" in page
    per_class = next(rows for name, rows in tables.items() if name.startswith("Each class"))
    assert column(per_class, "recall (sensitivity)")["generalized"] == "undefined"
    folds = next(rows for name, rows in tables.items() if name.startswith("Outer folds"))
    assert column(folds, "generalized")["2"] == "0 (missing)"
    assert "No seizure event was scored" in page
    given = config | {"dataset": {"kind": "fold_arrays", "window_length": 20.0}}
    assert "came as arrays" in why_no_events(collect(given, results, "vit", "mel", "3class"))


def test_one_rank_ten_folds_and_three_spectrograms(tmp_path):
    patients = [f"p{number}" for number in range(20)]
    config = write_study(tmp_path, spectrogram="concat", n_folds=10, n_ranks=1, patients=patients)
    page, _ = report(tmp_path, config, spectrogram="concat")
    for name in ("mel", "cwt", "stft"):
        assert f"<h3>{name}</h3>" in page and f"Saliency by derivation, {name}" in page
    assert page.count('aria-label="Training of fold') == 10
    parts = pool_maps(collect(config, tmp_path, "vit", "concat", "2class"))
    assert [part.spectrogram for part in parts] == ["mel", "cwt", "stft"]
    assert [spaced_in_log(part.freqs) for part in parts] == [False, True, False]
    for at, part in enumerate(parts):
        maps = [np.load(path) for path in sorted(tmp_path.glob("vit_concat_2class/fold*/explain/saliency.npy"))]
        expected = np.mean(maps, axis=0)[:, 3 * at : 3 * at + 3]  # every fold averaged as many windows
        np.testing.assert_allclose(part.saliency, expected, rtol=1e-6)


def test_folds_weigh_as_many_windows_as_they_averaged(tmp_path):
    config = write_study(tmp_path)
    weights = {1: [10, 0], 2: [30, 0], 3: [0, 0]}
    for fold, windows in weights.items():
        path = tmp_path / f"vit_mel_2class/fold{fold}/explain/maps.json"
        write_json(path, read_json(path) | {"n_windows": windows})
    (part,) = pool_maps(collect(config, tmp_path, "vit", "mel", "2class"))
    first, second = (np.load(tmp_path / f"vit_mel_2class/fold{fold}/explain/gradcam.npy") for fold in (1, 2))
    np.testing.assert_allclose(part.gradcam[0], 0.25 * first[0] + 0.75 * second[0], rtol=1e-6)
    assert np.isnan(part.gradcam[1]).all()
    drawn = map_figures(part, ["background", "seizure"])
    assert list(drawn) == ["mean", "saliency", "gradcam"]
    assert all([figure.title for figure in figures] == ["background"] for figures in drawn.values())


def test_metrics_of_another_class_set_are_refused(made):
    results, config, _, _ = made
    other = json.loads(json.dumps(config))
    other["classes"]["2class"] = {"rest": ["bckg"], "seizure": ["sz"]}
    with pytest.raises(InputError, match="evaluate again"):
        collect(other, results, "vit", "mel", "2class")


def test_timing_takes_the_benchmarks_of_this_combination_alone(tmp_path):
    row = pd.DataFrame({"s": [2.5], "h:m:s": ["0:00:02"], "max_rss": [100.0], "cpu_time": [1.5]})
    wanted = [
        "windows",
        "spectrogram/mel",
        "tune/vit_mel_2class_fold2",
        "tune/vit_mel_2class_fold10",
        "evaluate/vit_mel_2class",
    ]
    others = ["spectrogram/cwt", "tune/vit_mel_3class_fold1", "evaluate/vit_mel_2class-b", "summary"]
    for name in (*others, *wanted):
        write_table(tmp_path / "benchmarks" / f"{name}.tsv", row)
    # What Snakemake writes for a job shorter than its sampling.
    write_table(tmp_path / "benchmarks/folds.tsv", row.assign(max_rss="NA", cpu_time="NA"))
    found = timing(tmp_path, "vit", "mel", "2class")
    assert list(found.columns) == ["job", "seconds", "max_rss_mb", "cpu_seconds"]
    assert list(found["job"]) == [wanted[0], "folds", *wanted[1:]]
    assert np.isnan(found["max_rss_mb"][1]) and found["seconds"].sum() == 15.0
    assert timing(tmp_path / "none", "vit", "mel", "2class").empty


def test_run_json_names_configuration_versions_and_commit(made, tmp_path):
    results, config, _, _ = made
    about = read_json(results / "vit_mel_2class/run.json")
    keys = ["config", "model", "spectrogram", "classes", "versions", "commit", "image", "seed", "host", "finished"]
    assert list(about) == keys
    assert about["config"] == config and about["seed"] == config["seed"]
    assert about["versions"]["numpy"] == np.__version__ and about["image"] is None


def test_a_commit_says_whether_files_were_changed(tmp_path):
    assert commit(tmp_path) is None
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path)]
    (tmp_path / "a").write_text("1")
    for arguments in (["init", "-q"], ["add", "a"], ["commit", "-qm", "m"]):
        subprocess.run([*git, *arguments], check=True)
    clean = commit(tmp_path)
    (tmp_path / "a").write_text("2")
    assert re.fullmatch(r"[0-9a-f]{40}", clean) and commit(tmp_path) == f"{clean}-dirty"


def test_script_writes_the_page_without_torch(made, tmp_path):
    results, config, _, _ = made
    script = ROOT / "workflow/scripts/report.py"
    watch = (
        "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); "
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", watch, str(script), "--config", json.dumps(config), "--results", str(results)]
    command += ["--model", "vit", "--spectrogram", "mel", "--classes", "2class", "--output", str(tmp_path / "r.html")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").exists() and (tmp_path / "run.json").exists() and (tmp_path / "timing.tsv").exists()


def test_cells_lie_around_their_centres():
    np.testing.assert_allclose(edges([1, 2, 4]), [0.5, 1.5, 3, 5])
    np.testing.assert_allclose(edges([1, 2, 4], log=True), [2**-0.5, 2**0.5, 2**1.5, 2**2.5])
    assert spaced_in_log(np.geomspace(1, 64, 12)) and not spaced_in_log(np.linspace(1, 64, 12))
    assert not spaced_in_log([0.0, 1.0, 2.0])


def test_thinned_curves_keep_their_ends_and_shape():
    x = np.linspace(0, 1, 5000)
    points = np.column_stack([x, x**8])
    kept = thin(points)
    assert len(kept) <= 400 and kept[0] == 0 and kept[-1] == 4999
    assert np.abs(np.interp(x, *points[kept].T) - x**8).max() < 1e-3


def test_numbers_are_written_with_sensible_digits():
    assert [number(value) for value in (0.000688431, 4, 4.0, 1234.5, True, "adam", float("nan"))] == [
        "0.000688", "4", "4", "1234", "True", "adam", "undefined",
    ]  # fmt: skip
    assert [duration(value) for value in (6.566, 228, 6720)] == ["6.57 s", "3.8 min", "1.87 h"]
    assert score(None) == "undefined" and score(0.69834) == "0.698"
