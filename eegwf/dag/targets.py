"""Check of the targets that Snakemake is asked for."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from eegwf.config.paths import Combination
from eegwf.dag.combinations import Combinations
from eegwf.dag.command_line import refuse_other_spellings
from eegwf.dag.external_flow import ExternalFlow
from eegwf.errors import InputError

TARGET = re.compile(r"(?P<model>[^/_]+)_(?P<spectrogram>[^/_]+)_(?P<classes>[^/_]+)/")
EXTERNAL_TARGET = re.compile(r"(?:[^/]+/)?external/([^/]+)/")


def check_targets(targets: Iterable[str], results: str, combinations: Combinations, external: ExternalFlow) -> None:
    """Refuse a target whose name is not that of a sensible combination.

    Parameters
    ----------
    targets
        Words of the command line.
    results
        Results folder of the study.
    combinations
        Combinations that the study can have.
    external
        The external data sets.

    Raises
    ------
    InputError
        Naming what can be requested instead.
    """
    words = list(map(str, targets))
    for before, target in zip(["", *words], words, strict=False):
        if before == "--report":  # the file of Snakemake's own report
            continue
        refuse_other_spellings(target, results)
        # As Snakemake writes relative targets.
        path = target if Path(target).is_absolute() or not target else os.path.relpath(target)
        inside = path.removeprefix(results + "/")
        named = TARGET.match(inside)
        if inside != path and (tested := EXTERNAL_TARGET.match(inside)):
            external.check_target(tested[1], target)
        if named and inside != path:
            combinations.check(Combination(**named.groupdict()), target)
        elif target.endswith("/report.html") and not named:
            raise InputError(
                f"{target}: expected {results}/<model>_<spectrogram>_<classes>/report.html "
                f"(the results of this configuration are in {results}/)"
            )
