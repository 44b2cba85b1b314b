"""Record of a run: configuration, versions, commit, seed, host and date."""

import os
import platform
from datetime import UTC, datetime
from typing import Any

from eegwf.config.paths import Combination
from eegwf.config.study import StudyDesign
from eegwf.provenance.container_image import this_image
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.versions import versions


def describe_run(study: StudyDesign, combination: Combination) -> dict[str, Any]:
    """Content of `run.json`.

    Parameters
    ----------
    study
        The configuration.
    combination
        Model, spectrogram and class set.

    Returns
    -------
    dict
        JSON-able values.
    """
    return {
        "config": study.model_dump(mode="json"),
        **combination._asdict(),
        "versions": versions(),
        # A job in a container gets the commit from the workflow, since an image is no checkout.
        "commit": os.environ.get("EEGWF_COMMIT") or commit(ROOT),
        "image": this_image(),
        "seed": study.seed,
        "host": platform.node(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
