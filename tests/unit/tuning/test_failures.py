"""Failures of trials: by their parameters, by lack of memory, and after their workers were killed."""

import pytest
import torch
from optuna.trial import TrialState, create_trial

from eegwf.errors import InputError
from eegwf.storage.files import read_table
from eegwf.tuning.budget import mostly_failed
from tests.helpers.study import tune_config, write_study
from tests.helpers.tuning import run_study, run_worker


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def trials_of(folder):
    return read_table(folder / "trials.tsv", text=("reason",))


def test_study_whose_trials_fail_ends_with_the_last_reason(study, tmp_path):
    config = tune_config()
    config["space"]["search"] = {"heads": {"choices": [3, 5, 6, 7, 9, 11]}}  # no divisor of the width
    del config["space"]["fixed"]["heads"]
    with pytest.raises(InputError, match=r"5 of 5 trials failed, the last one: ValueError: .*heads"):
        run_worker(study, tmp_path, config)


def test_few_failures_do_not_end_a_study():
    fail, good = create_trial(state=TrialState.FAIL), create_trial(value=0.5)
    assert not mostly_failed([fail] * 4)
    assert mostly_failed([fail] * 5) and not mostly_failed([fail] * 5 + [good] * 5)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    ],
)
def test_trial_without_enough_memory_is_recorded_and_replaced(study, tmp_path, monkeypatch, error):
    import eegwf.tuning.trial as module

    calls, train = [], module.training_turns

    def fail_second_call(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return train(*arguments, **options)

    monkeypatch.setattr(module, "training_turns", fail_second_call)
    config = tune_config()
    config["tuning"]["pruner"] = "none"
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    assert trials["state"].tolist() == ["complete", "fail", "complete", "complete", "complete"]
    assert trials["reason"][1].startswith(type(error).__name__)


def test_other_errors_end_the_job(study, tmp_path, monkeypatch):
    import eegwf.tuning.trial as module

    def fail(*_arguments, **_options):
        raise RuntimeError("device-side assert triggered")

    monkeypatch.setattr(module, "training_turns", fail)
    with pytest.raises(RuntimeError, match="device-side"):
        run_worker(study, tmp_path)


def end_first_trial(monkeypatch, error, n_times):
    """Let the first training, and each that resumes it, end by an error, `n_times` in all."""
    import eegwf.tuning.trial as module

    calls, train = [], module.training_turns

    def fail(*arguments, **options):
        calls.append(1)
        if len(calls) <= n_times:
            raise error
        return train(*arguments, **options)

    monkeypatch.setattr(module, "training_turns", fail)


def test_trial_in_whose_epoch_three_workers_ended_is_failed(study, tmp_path, monkeypatch):
    end_first_trial(monkeypatch, RuntimeError("CUDA error: an illegal memory access was encountered"), 3)
    config = tune_config()
    config["tuning"]["pruner"] = "none"
    for _ in range(3):
        with pytest.raises(RuntimeError, match="illegal memory access"):
            run_worker(study, tmp_path, config)
    run_study(study, tmp_path, config)
    trials = trials_of(tmp_path)
    assert trials["state"].tolist() == ["fail", "complete", "complete", "complete", "complete"]
    assert trials["reason"][0] == "3 workers ended in its epoch 1"


@pytest.mark.parametrize("error", [SystemExit(143), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_workers_that_end_for_another_reason_do_not_fail_their_trial(study, tmp_path, monkeypatch, error):
    end_first_trial(monkeypatch, error, 5)
    config = tune_config()
    config["tuning"]["pruner"] = "none"
    for _ in range(5):
        with pytest.raises(type(error)):
            run_worker(study, tmp_path, config)
    run_study(study, tmp_path, config)
    assert trials_of(tmp_path)["state"].tolist() == ["complete"] * 4
    assert not list(tmp_path.glob("state/*/*.stopped"))


def test_another_limit_continues_the_study_and_a_signal_starts_the_count_again(study, tmp_path, monkeypatch):
    errors = [RuntimeError("misaligned address")] * 2 + [SystemExit(143)] + [RuntimeError("misaligned address")] * 2
    import eegwf.tuning.trial as module

    train = module.training_turns

    def fail(*arguments, **options):
        if errors:
            raise errors.pop(0)
        return train(*arguments, **options)

    monkeypatch.setattr(module, "training_turns", fail)
    config = tune_config()
    config["tuning"]["pruner"] = "none"
    for _ in range(5):
        with pytest.raises((RuntimeError, SystemExit)):
            run_worker(study, tmp_path, config)
    config["tuning"]["max_killed_workers"] = None
    run_study(study, tmp_path, config)
    assert len(list((tmp_path / "state").iterdir())) == 1
    assert trials_of(tmp_path)["state"].tolist() == ["complete"] * 4
