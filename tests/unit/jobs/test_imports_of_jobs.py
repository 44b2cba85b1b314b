"""Packages that a job does not import before it starts."""

import gc
import subprocess
import sys

import pytest

from eegwf.jobs import fast_imports


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("tune", ("captum", "matplotlib", "sklearn", "scipy.signal")),
        ("retrain", ("captum", "matplotlib", "sklearn", "scipy.signal")),
        ("explain", ("captum", "matplotlib", "sklearn")),
        ("spectrogram", ("sklearn", "scipy.signal", "scipy.stats")),
        ("evaluate", ("torch", "matplotlib", "sklearn")),
        ("folds", ("torch", "sklearn")),
        ("windows", ("torch", "sklearn", "scipy.signal")),
        ("report", ("torch", "sklearn")),
    ],
)
def test_jobs_start_without_the_packages_that_they_need_later_or_never(module, absent):
    code = f"import sys, eegwf.jobs.{module}; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(absent) & set(modules)


def test_garbage_is_collected_again_after_an_import_that_fails():
    with pytest.raises(ImportError), fast_imports():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
