"""A tiny finished run with final models, and its bundle."""

from pathlib import Path

import pytest

from eegwf.provenance.model_bundle import bundle_models
from tests.helpers.final_run import write_final_run
from tests.helpers.szcore import write_others


@pytest.fixture(scope="session")
def final_run(tmp_path_factory) -> Path:
    """Folder of the run."""
    return write_final_run(tmp_path_factory.mktemp("final") / "results")


@pytest.fixture(scope="session")
def model_bundle(final_run, tmp_path_factory) -> Path:
    """Zip file of its final models."""
    path = tmp_path_factory.mktemp("bundle") / "bandpower.zip"
    bundle_models(final_run, path)
    return path


@pytest.fixture(scope="session")
def other_recording(tmp_path_factory) -> Path:
    """Recording with two seizures that the study does not have."""
    return write_others(tmp_path_factory.mktemp("others") / "bids")
