"""Energy of trainings in their records; records of earlier versions lack it."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

from eegwf.compute.energy import energy_meter
from eegwf.storage.files import read_table, write_table
from eegwf.training import cost_record
from eegwf.training.cost_record import COST_FILE, ENERGY_COLUMNS, read_costs, record_cost

OLD = {"unit": 1, "seconds": 2.0, "epochs": 1, "windows": 10, "device": "GPU"}


def costs_of(folder, *records):
    (folder / COST_FILE).write_text("\n".join(map(json.dumps, records)))
    return read_costs(folder)


def measured(**changes):
    return OLD | {"cpu_joules": 100.0, "gpu_joules": 50.0, "gpu_processes": 1} | changes


def test_energy_of_records_is_summed_and_the_largest_number_of_processes_kept(tmp_path):
    table = costs_of(tmp_path, measured(), measured(gpu_joules=7.5, gpu_processes=3), measured(unit=2), measured())
    assert table[["unit", *ENERGY_COLUMNS]].to_numpy().tolist() == [[1, 300, 107.5, 3], [2, 100, 50, 1]]


def test_energy_is_unknown_unless_every_record_has_it(tmp_path):
    table = costs_of(tmp_path, measured(), OLD, measured(unit=2, cpu_joules=None, gpu_processes=None))
    assert table["seconds"].tolist() == [4, 2]
    np.testing.assert_equal(table[list(ENERGY_COLUMNS)].to_numpy(), [[np.nan, np.nan, 1], [np.nan, 50, np.nan]])


def test_records_of_earlier_versions_are_read_and_unknown_energy_is_an_empty_cell(tmp_path):
    table = costs_of(tmp_path, OLD, OLD)
    assert table[["unit", "seconds", "epochs", "windows", "device"]].to_numpy().tolist() == [[1, 4, 2, 20, "GPU"]]
    assert table[list(ENERGY_COLUMNS)].isna().all(axis=None)
    write_table(tmp_path / "timing.tsv", table)
    assert (tmp_path / "timing.tsv").read_text().splitlines()[1].endswith("\tGPU\t\t\t")
    assert read_table(tmp_path / "timing.tsv")[list(ENERGY_COLUMNS)].isna().all(axis=None)
    assert costs_of(tmp_path).columns.tolist() == table.columns.tolist()


@pytest.fixture
def counter(tmp_path, monkeypatch):
    """Counter of a processor package, in a file."""
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text("262143328850\n")
    counter = zone / "energy_uj"
    counter.write_text("262143000000\n")
    monkeypatch.setattr(cost_record, "energy_meter", partial(energy_meter, powercap=tmp_path))
    monkeypatch.setattr(cost_record, "RECORD_INTERVAL", 0.0)
    return counter


def test_each_record_has_the_energy_since_the_previous_one(tmp_path, counter):
    with record_cost(tmp_path, 0, 100, "cpu", lambda history: None) as on_trained_epoch:
        for microjoules in (262143300000, 1_500_000):
            counter.write_text(f"{microjoules}\n")
            on_trained_epoch([])
    records = [json.loads(line) for line in (tmp_path / COST_FILE).read_text().strip().splitlines()]
    assert [record["cpu_joules"] for record in records] == pytest.approx([0.3, 1.52885, 0])
    assert {(record["gpu_joules"], record["gpu_processes"]) for record in records} == {(0.0, None)}
    assert read_costs(tmp_path)["cpu_joules"].tolist() == pytest.approx([1.82885])


def test_energy_is_divided_like_the_time_among_trainings_at_once(tmp_path, counter, monkeypatch):
    class Time:
        now = 100.0

        def monotonic(self):
            return self.now

    time = Time()
    monkeypatch.setattr(cost_record, "time", time)
    with record_cost(tmp_path, 0, 100, "cpu", lambda history: None, lambda: time.now / 4) as on_trained_epoch:
        time.now += 8.0
        counter.write_text("262143400000\n")
        on_trained_epoch([])
    table = read_costs(tmp_path)
    assert (table["seconds"][0], table["cpu_joules"][0]) == (2.0, pytest.approx(0.1))


def test_energy_of_the_cost_table_is_numeric_without_records(tmp_path):
    assert {str(read_costs(tmp_path)[name].dtype) for name in ENERGY_COLUMNS} == {"float64"}
    joined = pd.concat([read_costs(tmp_path), costs_of(tmp_path, measured())])
    assert joined["cpu_joules"].tolist() == [100]


def test_windows_of_a_pretraining_are_counted_but_not_its_epochs(tmp_path):
    with record_cost(tmp_path, 0, 100, "cpu", lambda history: None) as on_trained_epoch:
        on_trained_epoch([{"epoch": 1, "contrastive_loss": 3.0, "windows": 260}])
        on_trained_epoch([{"epoch": 1, "train_loss": 1.0}])
    assert read_costs(tmp_path)[["epochs", "windows"]].to_numpy().tolist() == [[1, 360]]
