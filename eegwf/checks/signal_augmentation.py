"""Check of the channels against the augmentations of signals."""

from collections.abc import Callable, Sequence

from eegwf.checks.findings import Findings
from eegwf.config.signal_augmentation import enabled_for_model
from eegwf.dag.flow import Flow
from eegwf.data.signals.mirror import check_referential, mirror_channels
from eegwf.errors import InputError

CHECKS: dict[str, Callable[[Sequence[str]], object]] = {"mirror": mirror_channels, "rereference": check_referential}


def check_signal_augmentation(flow: Flow, ch_names: Sequence[str], findings: Findings) -> None:
    """Find augmentations that the channels of the windows do not permit.

    Parameters
    ----------
    flow
        The study.
    ch_names
        Channels of its windows.
    findings
        Receives the lines.
    """
    study = flow.study
    models = dict.fromkeys(
        one.model for one in flow.combinations.all if flow.combinations.entry(one.model).gradient_trained
    )
    enabled = {name for model in models for name in enabled_for_model(study.training, model, study.models[model])}
    for name, check in CHECKS.items():
        if name in enabled:
            try:
                check(ch_names)
            except InputError as error:
                findings.problems.append(str(error))
