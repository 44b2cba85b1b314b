"""Rank 1 trained with further random seeds: nothing else changes, and the spread is in the metrics and the report."""

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.config.paths import RunPaths
from eegwf.storage.files import read_json, write_json
from tests.helpers.running import TINY, contents

RUN = "results/vit_mel_3class"
CLOSED_FORM = "results/bandpower_mel_3class"


@pytest.fixture(scope="module")
def seeded(snakemake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    write_json(folder / "seeds.json", {"evaluation": {"seeds": 2}})
    targets = (f"{RUN}/report.html", f"{CLOSED_FORM}/metrics.json")
    snakemake(folder, "--cores", "2", *targets, configs=(TINY, folder / "seeds.json"))
    return folder


def test_all_other_files_have_the_same_bytes(finished, seeded):
    one, two = contents(finished / RUN), contents(seeded / RUN)
    assert set(two) - set(one) == {f"fold{fold}/retrain/rank1_seed2/test.tsv" for fold in (1, 2, 3)}
    assert {name for name in one if one[name] != two[name]} == {"metrics.json"}
    metrics = [read_json(folder / RUN / "metrics.json") for folder in (finished, seeded)]
    assert metrics[0]["spread"] == {"seeds": None}
    assert metrics[0] == metrics[1] | {"spread": {"seeds": None}}


def test_spread_follows_from_the_files(seeded):
    found = read_json(seeded / RUN / "metrics.json")["spread"]["seeds"]
    values = []
    for name in ("rank1", "rank1_seed2"):
        tables = [pd.read_csv(path, sep="\t") for path in (seeded / RUN).glob(f"fold*/retrain/{name}/test.tsv")]
        assert len(tables) == 3
        table = pd.concat(tables).dropna(subset="label")
        values.append(balanced_accuracy_score(table["label"], table["predicted"]))
    entry = found["balanced_accuracy"]
    assert found["n"] == 2 and entry["values"] == pytest.approx(values, abs=1e-9)
    assert entry["standard_deviation"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5, abs=1e-9)
    assert "Rank 1 trained with 2 seeds: balanced accuracy" in (seeded / RUN / "report.html").read_text()
    ledger = pd.read_csv(seeded / RUN / "ledger.tsv", sep="\t").set_index("stage")
    assert ledger.loc["retrain", "jobs"] == 3 * (2 + 1)


def test_classical_baseline_is_not_trained_again(seeded):
    run = RunPaths(seeded / CLOSED_FORM)
    for fold in map(run.fold, (1, 2, 3)):
        assert fold.retrained.seed(2).read_text().count("\n") == 1
        assert (pd.read_csv(fold.retrained.timing, sep="\t")["seed"] == 1).all()
    assert read_json(run.metrics)["spread"]["seeds"]["n"] == 1
