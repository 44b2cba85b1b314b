"""Files for a paper: checklists, references, model card, tables and figures, and published scores."""

import re
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pandas as pd
import pytest
import yaml

from eegwf.config.paths import RunPaths
from eegwf.errors import InputError
from eegwf.report.drawing import ACCENT, CSS_COLORS, FAINT, INK, PAPER, SERIES, drawing
from eegwf.report.figure_files import light_colors, pdf, svg
from eegwf.report.paper.checklists import GAP, OPEN, checklists
from eegwf.report.paper.published import COLUMNS, FILE, published_table, read_published
from eegwf.report.paper.references import FILE as REFERENCES
from eegwf.report.paper.references import bibtex, used_references
from eegwf.storage.files import read_json, read_table
from tests.helpers.report_page import report_data, table_of, write_report
from tests.helpers.report_study import changed, write_study

REPORT = {"report": {"figure_formats": ["svg"], "dataset_name": "chb mit"}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Results, study, page and tables of a report of a small study, with its figures as SVG."""
    folder = tmp_path_factory.mktemp("paper_files")
    study = write_study(folder, overrides=REPORT)
    page, tables = write_report(study, folder)
    return folder, study, page, tables


@pytest.fixture(scope="module")
def paper(finished):
    folder, _, _, _ = finished
    return RunPaths(folder / "vit_mel_2class").paper


def drawn_with_matplotlib(page):
    """Number of the page's figures without the drawings of EEG and the timelines, which are not SVG files."""
    svg = re.findall("<svg role.*?</svg>", page, re.DOTALL)
    return sum("xmlns=" in one.partition(">")[0] for one in svg)


def test_the_folder_has_every_figure_and_table_of_the_page(finished, paper):
    _, _, page, tables = finished
    figures = sorted(path.name for path in (paper.folder / "figures").iterdir())
    assert len(figures) == drawn_with_matplotlib(page)
    assert {"confusion.svg", "folds.svg", "event-curve.svg"} <= set(figures)
    slider = ("Scores at the threshold", "Windows at the threshold")
    elsewhere = ("Provenance", "Job time", "Computing cost", "TRIPOD+AI", "SzCORE", *slider)
    shown = [caption for caption in tables if not caption.startswith(elsewhere)]
    assert len(list((paper.folder / "tables").iterdir())) == len(shown)
    evidence = read_table(paper.table("attribution_evidence"))
    assert "verdict" in evidence and "seconds per window" not in evidence


def test_tables_have_the_cells_of_the_page(finished, paper):
    _, _, _, tables = finished
    members = read_table(paper.table("member"), text=("member", "balanced accuracy"))
    rows = table_of(tables, "Scores by member")
    assert list(members["member"]) == [row[0] for row in rows[1:]]
    shown = [row[rows[0].index("balanced accuracy")] for row in rows[1:]]
    assert [text.replace("(", "").replace(")", "") for text in members["balanced accuracy"]] == shown
    assert (paper.table("events_detectors")).is_file() and (paper.table("leakage")).is_file()


def test_svg_files_stand_alone(finished, paper):
    _, _, page, _ = finished
    for path in (paper.folder / "figures").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("aria-label")
        tags = "".join(re.findall(r"<[^>]*>", text))
        assert "var(" not in tags and "currentColor" not in tags and "inherit" not in tags
    assert "var(--accent)" in page


def test_colors_are_those_of_the_light_page(root):
    colors = light_colors()
    assert set(CSS_COLORS.values()) <= set(colors)
    light = (root / "eegwf/report/style.css").read_text().partition("@media")[0]
    assert f"--accent: {colors['var(--accent)']};" in light and f"--ink: {colors['currentColor']};" in light


def content(file: bytes) -> str:
    """Drawing commands of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", file, flags=re.DOTALL)
    texts = []
    for stream in streams:
        try:
            texts.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(texts)


def placeholders(text: str) -> list[str]:
    """Colors in drawing commands that are placeholders: red 1/255 and green 2/255."""
    return re.findall(r"0\.0039\d* 0\.0078\d* \d[\d.]* (?:rg|RG)", text)


@pytest.mark.slow
def test_pdf_files_have_no_placeholder_colors(finished, tmp_path):
    folder, study, page, _ = finished
    output = tmp_path / "with_pdf/report.html"
    write_report(changed(study, {"report": {"figure_formats": ["pdf"]}}), folder, output=output)
    files = list((RunPaths(output.parent).paper.folder / "figures").iterdir())
    assert len(files) == drawn_with_matplotlib(page)
    for path in files:
        file = path.read_bytes()
        assert file.startswith(b"%PDF-") and b"/CreationDate" not in file
        text = content(file)
        assert " re\n" in text or " l\n" in text, path.name
        assert not placeholders(text), path.name


def test_pdf_of_every_kind_of_artist():
    with drawing(3, 2) as figure:
        axes = figure.axes
        axes.plot([0, 1], [0, 1], color=ACCENT, marker="o", markerfacecolor=SERIES[1], markeredgecolor=INK)
        axes.scatter([0, 1], [1, 0], color=[SERIES[0], SERIES[2]], alpha=0.5)
        axes.bar([0.5], [0.5], color=FAINT, edgecolor=SERIES[3])
        axes.set_title("a", color=SERIES[4])
        axes.text(0.5, 0.5, "b", bbox={"facecolor": PAPER, "edgecolor": SERIES[6]})
        axes.axvline(0.2, color=SERIES[5])
        done = figure.finish("kinds", "a", "b")
    file = pdf(done)
    assert not placeholders(content(file)) and pdf(done) == file
    accent = [int(light_colors()["var(--accent)"][start : start + 2], 16) / 255 for start in (1, 3, 5)]
    found = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) RG", content(file))
    assert any(np.allclose([float(value) for value in color], accent, atol=1e-4) for color in found)
    assert svg(done).startswith(b"<?xml")


@pytest.mark.slow
def test_two_reports_of_one_study_have_the_same_files(finished, paper, tmp_path):
    folder, study, _, _ = finished
    output = tmp_path / "again/report.html"
    write_report(changed(study, {}), folder, output=output)
    again = {path.relative_to(output.parent / "paper"): path.read_bytes() for path in files_in(output.parent / "paper")}
    assert again == {path.relative_to(paper.folder): path.read_bytes() for path in files_in(paper.folder)}


def files_in(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def test_no_figures_if_the_configuration_says_so(tmp_path):
    study = write_study(tmp_path)
    write_report(study, tmp_path)
    paper = RunPaths(tmp_path / "vit_mel_2class").paper
    assert paper.text.is_file() and not (paper.folder / "figures").exists()


def test_tripod_ai_has_its_27_items_and_gaps(finished, paper):
    _, _, page, _ = finished
    table = read_table(paper.checklist("tripod_ai"), text=("item",))
    numbers = [int(re.match(r"\d+", item)[0]) for item in table["item"]]
    assert sorted(set(numbers)) == list(range(1, 28)) and numbers == sorted(numbers) and len(table) == 52
    state = table.set_index("item")["state"]
    assert state["17"] == state["18a"] == state["3c"] == OPEN and state["12c"] == "filled in"
    assert (table.loc[table["state"] == OPEN, "answer"] == GAP).all()
    partly = table[table["state"] == "partly filled in"]
    assert len(partly) and partly["answer"].str.contains("To be completed by the authors: ").all()
    n_open = int((table["state"] != "filled in").sum())
    assert f"{n_open} of 52 items to be completed" in page and page.count(GAP) >= int((table["state"] == OPEN).sum())


def test_szcore_items_follow_the_study(finished):
    folder, study, _, _ = finished

    def answers(**changes) -> dict[str, str]:
        table = checklists(report_data(changed(study, changes), folder), read_json(folder / "vit_mel_2class/run.json"))
        return {row[0]: row[3] for row in table["szcore"].rows}

    assert answers()["channels"].startswith("Different: ") and answers()["data"].startswith("Not met: 9 patients")
    assert answers(signals={"montage": "average"})["channels"].startswith("Met: ")
    assert answers()["tuning"].startswith("Met: ")
    optimistic = answers(tuning={"mode": "once", "allow_optimistic": True})
    assert optimistic["tuning"].startswith("Not met, tuning used test patients")


def test_checklists_without_events_say_why(tmp_path):
    study = write_study(tmp_path, timed=False)
    tables = checklists(report_data(study, tmp_path), {"versions": {}, "commit": None, "seed": 1})
    answers = {row[0]: row[3] for row in tables["szcore"].rows}
    assert answers["events"].startswith("Not met: Seizure events were not scored")
    assert answers["reported"].startswith("Not met: ") and "events.tsv" not in answers["patients"]


def test_references_are_complete_and_unique():
    table = read_table(REFERENCES, text=("key", "year", "doi", "url", "authors", "title", "venue", "type", "used_for"))
    assert table["key"].is_unique and table["doi"][table["doi"] != ""].is_unique
    for column in ("key", "type", "authors", "title", "venue", "used_for"):
        assert (table[column].str.strip() != "").all()
    assert table["doi"][table["doi"] != ""].str.fullmatch(r"10\.\d{4,9}/\S+").all()
    for key, authors, year in zip(table["key"], table["authors"], table["year"], strict=True):
        assert key.endswith(year) or key == "dan2024"
        first = authors.split(",")[0].lower().replace("'", "").replace("ö", "o")
        assert key.startswith(first.split()[-1]), key


def test_bibtex_has_what_the_run_used(finished, paper):
    folder, study, _, _ = finished
    text = paper.references.read_text(encoding="utf-8")
    entries = re.findall(r"^@(\w+)\{(\w+),$", text, flags=re.MULTILINE)
    keys = {key for _, key in entries}
    assert len(keys) == len(entries) and text.count("{") == text.count("}")
    assert {"dosovitskiy2021", "slaney1998", "akiba2019", "guttag2010", "dan2024"} <= keys
    assert not {"lawhern2018", "lilly2012", "stevenson2019", "efron1987"} & keys

    def used(**changes) -> set[str]:
        return {row["key"] for row in used_references(report_data(changed(study, changes), folder))}

    assert "szegedy2016" in used() and "zhang2018" not in used()
    assert "zhang2018" in used(training={"mixup_alpha": 0.2})
    assert "stevenson2019" in used(report={"dataset_name": "Helsinki"})
    assert "li2018" in used(tuning={"pruner": "hyperband"})
    assert bibtex(report_data(study, folder)) == text


def test_the_model_card_has_the_scores_in_its_header(finished, paper):
    folder, _, _, _ = finished
    text = paper.model_card.read_text(encoding="utf-8")
    header = yaml.safe_load(text.split("---\n")[1])
    found = {one["type"]: one["value"] for one in header["model-index"][0]["results"][0]["metrics"]}
    scores = read_json(folder / "vit_mel_2class/metrics.json")["members"]["ensemble"]
    assert found == {
        "balanced_accuracy": round(scores["balanced_accuracy"]["value"], 4),
        "roc_auc": round(scores["auroc"]["value"], 4),
        "f1_macro": round(scores["macro_f1"]["value"], 4),
    }
    assert header["library_name"] == "eegwf" and "They are no medical device" in text


def test_published_scores_of_the_data_set_are_shown_with_their_protocol(finished):
    folder, study, page, tables = finished
    rows = table_of(tables, "Published scores on chb mit")
    metrics = read_json(folder / "vit_mel_2class/metrics.json")["members"]["ensemble"]
    assert rows[1][2] == f"{metrics['balanced_accuracy']['value']:.3f}"
    table = read_table(FILE, COLUMNS, text=COLUMNS)
    assert len(rows) == 3 + (table["dataset"] == "CHB-MIT").sum()
    faint = re.findall(r'<tr class="faint">\s*<th[^>]*>support vector machine', page)
    assert len(faint) == ((table["dataset"] == "CHB-MIT") & (table["caution"] != "")).sum() > 0
    assert published_table(report_data(changed(study, {"report": {"dataset_name": None}}), folder)) is None
    assert published_table(report_data(changed(study, {"report": {"dataset_name": "My data"}}), folder)) is None


def test_shipped_rows_have_a_source_and_a_known_data_set(root):
    table = read_table(FILE, COLUMNS, text=COLUMNS)
    named = {yaml.safe_load(path.read_text()).get("report", {}).get("dataset_name")
             for path in (root / "config/datasets").glob("*.yaml")}  # fmt: skip
    assert set(table["dataset"]) <= named and len(named - {None}) == 5
    assert (table["value"].astype(float) > 0).all() and (table["source"] != "").all()
    assert ((table["patient_wise"] == "no") <= (table["caution"] != "")).all()


def test_users_add_rows(finished, tmp_path):
    folder, study, _, _ = finished
    path = tmp_path / "more.tsv"
    row = dict.fromkeys(COLUMNS, "") | {
        "dataset": "CHB-MIT", "metric": "AUROC", "value": "0.5", "protocol": "x", "patient_wise": "yes", "source": "me",
    }  # fmt: skip
    pd.DataFrame([row]).to_csv(path, sep="\t", index=False)
    table = published_table(report_data(changed(study, {"report": {"published": str(path)}}), folder))
    assert table.rows[-1][5] == "me" and len(read_published(str(path))) == len(read_published(None)) + 1
    for changes, message in (
        ({"source": ""}, "line 2: source is empty"),
        ({"patient_wise": "maybe"}, "patient_wise is 'maybe'; write yes or no"),
        ({"patient_wise": "no"}, "write in caution why"),
    ):
        pd.DataFrame([row | changes]).to_csv(path, sep="\t", index=False)
        with pytest.raises(InputError, match=message):
            read_published(str(path))
    with pytest.raises(InputError, match="no such file"):
        read_published(str(tmp_path / "none.tsv"))
