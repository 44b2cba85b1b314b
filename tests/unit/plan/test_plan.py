"""What a plan predicts and adds up, against sums by hand."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from eegwf.dag.dry_run import DRY
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stages import STAGES
from eegwf.plan.costs import Calibration, Rates, measured_rates, shipped_rates
from eegwf.plan.forecast import Forecast
from eegwf.plan.jobs import Job, longest_chain, planned_job
from eegwf.plan.power import mean_watts
from eegwf.plan.sizes import Sizes, read_sizes
from eegwf.plan.table import as_json, as_text, cost
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.storage.files import write_json, write_table

JOB = {"model": "vit", "spectrogram": "mel", "classes": "2class", "fold": "1"}
ONE = Job("tune", "vit_mel_2class", 1, 2, 60, 1800.0, "", ("a",), ("b",))


@pytest.fixture
def study_of(root):
    def read(**settings):
        small = {"folds": 5, "training": {"epochs": 8}, "tuning": {"n_trials": 10, "inner_folds": 2, "n_workers": 4}}
        explanation = {"max_windows_per_class": 60} | settings.pop("explanation", {})
        return read_flow(root / "config/config.yaml", [], small | {"explanation": explanation} | settings).study

    return read


def sizes_of(study):
    labels = pd.Series({"bckg": 600, "sz_foc": 300, "sz_gen": 100, "": 50})
    return Sizes(study, n_windows=1050, n_chans=20, n_times=1280, n_folds=5, labels=labels)


def work(stage, wildcards, sizes):
    return STAGES[stage].cost.amount(wildcards, sizes)


def test_work_by_hand(study_of):
    sizes = sizes_of(study_of())
    values = 20 * 32 * 32
    assert sizes.values("mel") == values and sizes.values("raw") == 20 * 1280
    assert sizes.labeled("2class") == sizes.labeled("3class") == 1000
    # Of 5 folds 3 train: 10 trials on 2 inner folds, 8 epochs each, by 4 workers.
    assert work("tune", JOB, sizes) == pytest.approx(10 * 2 * 8 * 600 * values / 4 / 1e6)
    assert work("retrain", JOB, sizes) == pytest.approx(5 * 8 * 600 * values / 1e6)
    assert work("spectrogram", {"spectrogram": "mel"}, sizes) == pytest.approx(1050 * 20 * 1280 / 1e6)
    assert work("report", JOB, sizes) == 0
    assert sizes_of(study_of(spectrograms={"on_the_fly": True})).disk({"mel", "cwt"}) == sizes.disk({"raw"})
    assert sizes.disk({"mel"}) == (2 * 1050 * (values + 20 * 1280), 4 * 1050 * 20 * 1280)  # parts beside the whole


def test_work_of_attribution_by_hand(study_of):
    sizes, values = (
        sizes_of(study_of(explanation={"max_similarity_windows_per_class": 2, "cell_seconds": 3})),
        20 * 32 * 32,
    )
    # 60 windows of 2 classes; 2 of each also for 4 random networks, permuted labels and 4 other ranks.
    n_maps = 2 * 60 + 2 * 2 * (1 + 4 + 1 + 4)
    # Gradients: 16 noisy copies, 4 baselines with 8 points and 16 mixtures. Cells: 20 channels, 5 bands, 15 s by 3 s.
    passes = n_maps * (3 * (16 + 4 * 8 + 4 * 16) + 20 * 5 * 5) + 2 * 60 * 200
    assert work("explain", JOB, sizes) == pytest.approx((passes + 3 * 8 * 600) * values / 1e6)
    three = work("explain", JOB | {"classes": "3class"}, sizes)
    n_maps = 3 * 60 + 3 * 2 * (1 + 4 + 1 + 4 + 2)  # two other classes
    assert three == pytest.approx((n_maps * 836 + 3 * 60 * 200 + 3 * 8 * 600) * values / 1e6)


def test_work_of_attribution_follows_its_settings(study_of):
    few = {"methods": ["saliency", "occlusion"], "label_randomization": False, "cell_seconds": 20}
    sizes = sizes_of(study_of(explanation=few | {"max_similarity_windows_per_class": 1}, retrain={"n_best": 1}))
    # A window has one interval; a time series has one band.
    n_maps = 2 * 60 + 2 * (1 + 4)
    for spectrogram, n_cells in (("mel", 20 * 5), ("concat", 3 * 20 * 5), ("raw", 20)):
        expected = (n_maps * n_cells + 2 * 60 * 200) * sizes.values(spectrogram) / 1e6
        assert work("explain", JOB | {"spectrogram": spectrogram}, sizes) == pytest.approx(expected)


def test_each_seed_of_a_parameter_set_is_a_training(study_of):
    seeds, sets = (sizes_of(study_of(retrain=retrain)) for retrain in ({"n_best": 2, "n_seeds": 3}, {"n_best": 6}))
    for stage in ("retrain", "finalize", "explain"):
        assert work(stage, JOB, seeds) == work(stage, JOB, sets)
    assert work("tune", JOB, seeds) == work("tune", JOB, sizes_of(study_of()))


def test_further_seeds_are_work_unless_the_training_draws_no_random_numbers(study_of):
    sizes, values = sizes_of(study_of(evaluation={"seeds": 4})), 20 * 32 * 32
    assert work("retrain", JOB, sizes) == pytest.approx((5 + 3) * 8 * 600 * values / 1e6)
    assert work("retrain", JOB | {"model": "bandpower"}, sizes) == pytest.approx(5 * 8 * 600 * values / 1e6)
    assert work("tune", JOB, sizes) == work("tune", JOB, sizes_of(study_of()))


def test_pretraining_is_work_by_hand(study_of):
    values, without = 20 * 32 * 32, sizes_of(study_of(explanation={"label_randomization": True}))
    sizes = sizes_of(study_of(explanation={"label_randomization": True}, training={"epochs": 8, "pretrain_epochs": 6}))
    # Two views of all 1050 windows of 3 of 5 folds, borderline ones too.
    pretrained = 6 * 2 * 1050 * 3 / 5 * values / 1e6
    for stage, n_trainings in (("tune", 10 * 2 / 4), ("retrain", 5), ("explain", 3)):
        difference = work(stage, JOB, sizes) - work(stage, JOB, without)
        assert difference == pytest.approx(n_trainings * pretrained), stage
    final = work("finalize", JOB, sizes) - work("finalize", JOB, without)
    assert final == pytest.approx(5 * pretrained * 5 / 3), "all folds"
    other = JOB | {"model": "bandpower"}
    assert work("tune", other, sizes) == work("tune", other, without)


@pytest.mark.parametrize(
    "place", [{"fixed": {"pretrain_epochs": 6}}, {"search": {"pretrain_epochs": {"choices": [6, 0]}}}]
)
def test_pretraining_of_a_model_is_at_most_that_of_its_search_space(study_of, place):
    sizes = sizes_of(study_of(models={"vit": place}))
    everywhere = sizes_of(study_of(training={"epochs": 8, "pretrain_epochs": 6}))
    assert work("tune", JOB, sizes) == pytest.approx(work("tune", JOB, everywhere))


def test_a_budget_in_epochs_bounds_a_search(study_of):
    sizes = sizes_of(study_of(tuning={"n_trials": None, "n_epochs": 16}))
    assert work("tune", JOB, sizes) == pytest.approx(16 * 600 * 20 * 32 * 32 / 1e6)


def test_a_budget_in_minutes_is_what_a_search_takes(study_of):
    sizes = sizes_of(study_of(tuning={"n_trials": None, "timeout_minutes": 30, "n_workers": 2}))
    assert Calibration(Rates(), Rates(), STAGES).seconds("tune", JOB, sizes) == 900


def test_own_rates_win_and_tell_how_fast_the_machine_is(study_of):
    sizes = sizes_of(study_of())
    shipped = Rates({"retrain": 4.0}, {"retrain": {"vit": 0.02, "lstm": 0.05}})
    known = Calibration(shipped, Rates({"retrain": 3.0}, {"retrain": {"vit": 0.01}}), STAGES)
    amount = work("retrain", JOB, sizes)
    assert known.seconds("retrain", JOB, sizes) == pytest.approx(3 + 0.01 * amount)
    # Half as long as the shipped figures say.
    assert known.seconds("retrain", JOB | {"model": "lstm"}, sizes) == pytest.approx((4 + 0.05 * amount) / 2)
    assert known.seconds("retrain", JOB | {"model": "new"}, sizes) is None


def test_every_model_and_rule_has_a_shipped_rate(root, study_of):
    rates, study = shipped_rates(), study_of()
    for rule in ("tune", "retrain", "explain"):
        missing = set(study.models) - set(rates.rate[rule])
        assert not missing, (rule, missing)
    assert set(SPECTROGRAMS) == set(rates.rate["spectrogram"])
    assert {"windows", "folds", "select_best", "evaluate", "report"} <= set(rates.start)


def test_rates_of_a_finished_run(study_of, tmp_path):
    study = study_of(tuning={"n_trials": 10, "n_workers": 1})
    data = tmp_path / "data"
    labels = ["bckg"] * 60 + ["sz_foc"] * 40
    write_table(data / "windows.tsv", pd.DataFrame({"window": range(100), "label": labels}))
    write_json(data / "windows.json", {"ch_names": ["a", "b"], "n_times": 1000})
    run = tmp_path / "vit_mel_2class"
    config = study.model_dump(mode="json")
    write_json(run / "run.json", {"config": config, "model": "vit", "spectrogram": "mel", "classes": "2class"})
    timing = pd.DataFrame({"trial": [0, 0, 1], "seconds": [1.0, 2.0, 4.0]})
    for fold in (1, 2):
        write_table(run / f"fold{fold}/tune/timing.tsv", timing)
    benchmark = pd.DataFrame({"s": [10.0]})
    for name in ("tune/vit_mel_2class_fold1_worker1", "evaluate/vit_mel_2class", "evaluate/vit_cwt_2class"):
        write_table(tmp_path / "benchmarks" / f"{name}.tsv", benchmark.assign(s=10.0 if "cwt" not in name else 99.0))
    found = measured_rates(tmp_path, STAGES)
    amount = work("tune", JOB, read_sizes(study, tmp_path))
    assert amount == pytest.approx(10 * 8 * 60 * 2 * 32 * 32 / 1e6)
    assert found.rate["tune"]["vit"] == pytest.approx(7 / amount)
    assert found.start == {"tune": pytest.approx((10 - 7 + 2) / 2), "evaluate": 10.0}


def test_speed_of_models_on_a_gpu_does_not_change_that_of_spectrograms(study_of):
    sizes = sizes_of(study_of())
    shipped = Rates({"retrain": 4.0, "spectrogram": 1.0}, {"retrain": {"vit": 0.02, "lstm": 0.05}})
    shipped.rate["spectrogram"] = {"mel": 0.1, "cwt": 0.4}
    own = Rates({"retrain": 3.0, "spectrogram": 1.0}, {"retrain": {"vit": 0.0002}, "spectrogram": {"mel": 0.2}})
    known = Calibration(shipped, own, STAGES)
    amounts = work("retrain", JOB, sizes), work("spectrogram", {"spectrogram": "cwt"}, sizes)
    assert known.seconds("retrain", JOB | {"model": "lstm"}, sizes) == pytest.approx((4 + 0.05 * amounts[0]) / 100)
    assert known.seconds("spectrogram", {"spectrogram": "cwt"}, sizes) == pytest.approx((1 + 0.4 * amounts[1]) * 2)


def test_rates_on_a_gpu_replace_those_on_the_cpu_as_soon_as_one_has_run(study_of, tmp_path):
    study = study_of()
    labels = ["bckg"] * 60 + ["sz_foc"] * 40
    write_table(tmp_path / "data/windows.tsv", pd.DataFrame({"window": range(100), "label": labels}))
    write_json(tmp_path / "data/windows.json", {"ch_names": ["a", "b"], "n_times": 1000})
    config = study.model_dump(mode="json")
    for spectrogram, device, seconds in (("mel", "cpu", 100.0), ("stft", "NVIDIA H100", 1.0)):
        run = tmp_path / f"vit_{spectrogram}_2class"
        record = {"config": config, "model": "vit", "spectrogram": spectrogram, "classes": "2class"}
        write_json(run / "run.json", record)
        timing = pd.DataFrame({"rank": [1], "seconds": [seconds], "device": [device]})
        write_table(run / "fold1/retrain/timing.tsv", timing)
    amount = work("retrain", JOB, read_sizes(study, tmp_path))
    assert measured_rates(tmp_path, STAGES).rate["retrain"]["vit"] == pytest.approx(1 / amount)
    assert measured_rates(tmp_path, STAGES, "cpu").rate["retrain"]["vit"] == pytest.approx(100 / amount)
    assert Forecast(study, tmp_path, STAGES).watts("retrain", JOB) == {}, "energy was not measured"
    path = tmp_path / "vit_stft_2class/fold1/retrain/timing.tsv"
    write_table(path, timing.assign(cpu_joules=60.0, gpu_joules=250.0, gpu_processes=1))
    forecast = Forecast(study, tmp_path, STAGES)
    assert forecast.watts("retrain", JOB) == {"cpu": 60, "gpu": 250} and forecast.watts("tune", JOB) == {}
    wildcards, resources = JOB | {"classes": "2class"}, {"gpu": 1}
    record = {"rule_name": "retrain", "wildcards": wildcards, "resources": resources, "reason": ""}
    job = planned_job(SimpleNamespace(**record, input=[], output=[]), forecast)
    assert cost([job]).gpu_kwh == pytest.approx(250 * forecast.seconds("retrain", JOB) / 3.6e6)


def test_expected_hours_give_the_sizes_of_a_data_set_that_is_not_there(study_of, tmp_path):
    dataset = {"kind": "bids", "root": str(tmp_path / "nowhere"), "event_types": ["bckg", "sz"]}
    signals, windows = {"montage": "tcp20", "sfreq": 200}, {"length": 10, "step": 5}
    study = study_of(dataset=dataset, signals=signals, windows=windows)
    found = read_sizes(study, tmp_path, hours=1476)
    assert (found.n_windows, found.n_chans, found.n_times) == (1476 * 3600 // 5, 20, 2000)
    assert Forecast(study, tmp_path, STAGES, hours=1476).seconds("retrain", JOB) is not None


def test_results_of_another_version_or_half_written_hinder_no_plan(study_of, tmp_path):
    write_json(tmp_path / "vit_mel_2class/run.json", {"config": {"unknown": 1}})
    (tmp_path / "lstm_mel_2class").mkdir()
    (tmp_path / "lstm_mel_2class/run.json").write_text('{"config": ')
    assert measured_rates(tmp_path, STAGES).rate == {}


def test_sizes_before_anything_is_read_come_from_the_configuration(study_of, tmp_path):
    dataset = {"kind": "synthetic", "n_focal": 2, "n_generalized": 1, "n_both": 1, "n_none": 1, "minutes": 2.0}
    study = study_of(dataset=dataset, windows={"length": 5, "step": 4})
    found = read_sizes(study, tmp_path)
    assert (found.n_windows, found.labels) == (5 * 29, None) and found.labeled("3class") == 145


def test_what_cannot_be_known_is_not_predicted(study_of, root, tmp_path):
    dataset = {"kind": "bids", "root": str(tmp_path), "event_types": ["bckg", "sz"]}
    flow = read_flow(root / "config/config.yaml", [], {"dataset": dataset, "results": str(tmp_path / "results")})
    forecast = Forecast(flow.study, tmp_path / "results", STAGES)
    assert forecast.seconds("retrain", JOB) is None and not forecast.calibrated
    assert forecast.disk({"vit_mel_2class"}) == {"arrays": None, "arrays_peak": None, "runs": None}


def test_the_longest_chain_waits_for_the_slowest():
    jobs = [
        replace(ONE, rule="windows", seconds=10.0, inputs=(), outputs=("w",)),
        replace(ONE, rule="mel", seconds=5.0, inputs=("w",), outputs=("m",)),
        replace(ONE, rule="cwt", seconds=50.0, inputs=("w",), outputs=("c",)),
        replace(ONE, rule="tune", seconds=None, inputs=("m", "c", "elsewhere"), outputs=("s",)),
    ]
    assert longest_chain(jobs[::-1]) == (60.0, ["windows", "cwt", "tune"])
    assert longest_chain([]) == (0.0, [])


def test_sums_by_hand():
    jobs = [
        ONE,
        replace(ONE, gpu=0, cpus=8, minutes=30, seconds=None, repeated="Code has changed since last execution"),
    ]
    total = cost(jobs)
    assert (total.jobs, total.repeated, total.unknown) == (2, 1, 1)
    assert (total.gpu_requested, total.gpu_predicted) == (1.0, 0.5)
    assert (total.cpu_requested, total.cpu_predicted) == (2 + 4, 1.0)
    text = as_text(as_json(jobs, {"arrays": 10**9, "arrays_peak": 2 * 10**9, "runs": None}, calibrated=False))
    expected = ("vit_mel_2class", "on disk: 1 GB, at most 2 GB", "and maps: unknown before one run")
    for part in (*expected, "Code has changed since last execution (1)", "1 job has no prediction"):
        assert part in text
    assert as_text(as_json([], {}, calibrated=True)) == "Plan: no jobs to run."


def test_energy_by_hand_of_the_jobs_whose_power_is_known():
    disk = {"arrays": None, "arrays_peak": None, "runs": None}
    unknown = replace(ONE, rule="explain")
    jobs = [
        replace(ONE, seconds=7200.0, watts={"gpu": 300.0, "cpu": 150.0}),
        replace(ONE, seconds=3600.0, watts={"gpu": 300.0}, gpu=0),  # bandpower, which uses no GPU
        replace(ONE, seconds=None, watts={"gpu": 300.0, "cpu": 150.0}),
        unknown,
    ]
    total = cost(jobs)
    assert (total.gpu_kwh, total.cpu_kwh, total.metered) == (pytest.approx(0.6), pytest.approx(0.3), 2)
    plan = as_json(jobs, disk, calibrated=True)
    assert plan["rules"]["explain"]["gpu_kwh"] is None and plan["rules"]["tune"]["gpu_kwh"] == pytest.approx(0.6)
    energy = "Energy of 2 of 4 jobs, from the power of earlier ones: GPUs 0.6 kWh; processors at most 0.3 kWh"
    assert energy in as_text(plan)
    assert "Energy" not in as_text(as_json([unknown], disk, calibrated=True))


def test_mean_power_leaves_out_shared_gpus_other_devices_and_tables_without_energy():
    old = pd.DataFrame({"rank": [1], "seconds": [5.0], "device": ["H100"]})
    table = pd.DataFrame(
        [
            ("H100", 10.0, 1000.0, 3000.0, 1),
            ("H100", 30.0, None, 5000.0, None),  # how many processes is unknown
            ("H100", 10.0, 3000.0, 9000.0, 2),
            ("H100", 10.0, 2000.0, None, 1),
            ("cpu", 10.0, 500.0, 0.0, None),
        ],
        columns=["device", "seconds", "cpu_joules", "gpu_joules", "gpu_processes"],
    )
    watts = mean_watts([old, table.head(2), table.tail(3)], on_gpu=True)
    assert watts == {"cpu": pytest.approx(6000 / 30), "gpu": pytest.approx(8000 / 40)}
    assert mean_watts([table], on_gpu=False) == {"cpu": pytest.approx(50), "gpu": 0}
    assert mean_watts([old], on_gpu=True) == {} == mean_watts([table.iloc[2:3, :]], on_gpu=False)
    assert mean_watts([table.iloc[2:3]], on_gpu=True) == {"cpu": pytest.approx(300)}


@pytest.mark.parametrize("word", ["-n", "--dry-run", "--dryrun", "-np", "-pn"])
def test_a_dry_run_is_known_by_its_option(word):
    assert DRY.fullmatch(word)


@pytest.mark.parametrize("word", ["--no-hooks", "results/new/report.html", "--cores", "-c4"])
def test_nothing_else_is_taken_for_one(word):
    assert not DRY.fullmatch(word)
