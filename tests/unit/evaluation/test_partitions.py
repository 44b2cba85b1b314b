"""Spread between results folders with other folds, from tables by hand."""

import numpy as np
import pandas as pd
import pytest

from eegwf.cli import main
from eegwf.errors import InputError
from eegwf.evaluation.partitions import compare_partitions, partition_spread
from eegwf.storage.files import read_table, write_json, write_table

RUN = "vit_mel_2class"
FOLDS = ([1, 1, 2, 2, 3, 3], [1, 2, 2, 3, 3, 1], [3, 3, 1, 1, 2, 2])


def write_results(root, folds, value, patients="abcdef", deviation=None, **config):
    """Write the files of a results folder that the comparison reads."""
    write_table(root / "data/folds.tsv", pd.DataFrame({"patient": list(patients), "fold": folds}))
    entry = {"value": value, "low": 0.6, "high": 0.9}
    scores = {name: entry for name in ("balanced_accuracy", "macro_f1", "auroc")}
    spread = {"seeds": deviation and {"n": 2, "balanced_accuracy": {"standard_deviation": deviation}}}
    members = {"rank1": scores, "ensemble": scores}
    write_json(root / RUN / "metrics.json", {"primary": "ensemble", "members": members, "spread": spread})
    write_json(root / RUN / "run.json", {"config": {"results": str(root), "threads": 1, **config}})
    return root


def test_spread_by_hand(tmp_path):
    values, deviations = (0.7, 0.8, 0.75), (0.01, 0.03, 0.02)
    roots = [
        write_results(tmp_path / str(seed), FOLDS[seed % 2], value, deviation=deviation, seed=seed)
        for seed, value, deviation in zip((1, 2, 4), values, deviations, strict=True)
    ]
    table = partition_spread(roots).set_index(["combination", "member", "score"])
    assert len(table) == 2 * 3
    row = table.loc[(RUN, "rank1", "balanced_accuracy")]
    assert row.tolist() == pytest.approx([3, 0.75, 0.05, 0.7, 0.8, np.sqrt(0.0014 / 3), 0.6, 0.9])
    row = table.loc[(RUN, "ensemble", "balanced_accuracy")]
    assert row[["mean", "standard_deviation"]].tolist() == pytest.approx([0.75, 0.05])
    assert np.isnan(row["standard_deviation_seeds"])


def test_undefined_score_has_no_spread(tmp_path):
    roots = [write_results(tmp_path / name, FOLDS[0], value) for name, value in (("a", 0.7), ("b", None))]
    assert partition_spread(roots)[["mean", "standard_deviation", "min"]].isna().all(axis=None)


def test_same_folds_under_other_numbers_are_found(tmp_path):
    roots = [write_results(tmp_path / str(number), folds, 0.7) for number, folds in enumerate(FOLDS)]
    lines = compare_partitions(roots)
    assert lines[0] == "partitions: 2 different ones in 3 results folders" and len(lines) == 2
    assert lines[1].startswith(f"warning: {roots[2]} has the same folds as {roots[0]}, ")


def test_reserved_patients_are_part_of_the_partition(tmp_path):
    roots = [write_results(tmp_path / str(n), folds, 0.7) for n, folds in enumerate(([0, 0, 1, 1, 2, 2], FOLDS[0]))]
    assert compare_partitions(roots) == ["partitions: 2 different ones in 2 results folders"]


def test_other_patients_settings_or_missing_folds_are_refused(tmp_path):
    one = write_results(tmp_path / "one", FOLDS[0], 0.7, seed=1)
    with pytest.raises(InputError, match="expected two or more different results folders"):
        compare_partitions([one, one])
    with pytest.raises(InputError, match=r"none: no data/folds\.tsv; run `snakemake .*none/data/folds\.tsv`"):
        compare_partitions([one, tmp_path / "none"])
    other = write_results(tmp_path / "other", FOLDS[1], 0.7, patients="abcdeg")
    with pytest.raises(InputError, match=r"other: 6 patients in 3 folds, but .*one has 6 in 3, or other patients"):
        compare_partitions([one, other])
    with pytest.raises(InputError, match=r"other/.*run\.json: threads, training differ from .*one/.*run\.json"):
        partition_spread([one, write_results(tmp_path / "other", FOLDS[1], 0.7, training={}, threads=2, seed=2)])


def test_command_prints_and_writes_the_table(tmp_path, capsys):
    roots = [write_results(tmp_path / str(n), FOLDS[n], value, seed=n) for n, value in enumerate((0.7, 0.8))]
    main(["spread", *map(str, roots), "--output", str(tmp_path / "spread.tsv")])
    text = capsys.readouterr().out
    assert "partitions: 2 different ones" in text and "0.750" in text and "nan" not in text.lower()
    assert list(read_table(tmp_path / "spread.tsv")["mean"]) == pytest.approx([0.75] * 6)
    (roots[1] / RUN / "run.json").unlink()
    main(["spread", *map(str, roots)])
    assert "no combination is finished in all results folders" in capsys.readouterr().out
