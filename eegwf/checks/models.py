"""Whether the networks that the configuration names exist."""

from eegwf.checks.findings import Findings
from eegwf.dag.flow import Flow

NAMES = ("timm", "architecture")


def check_models(flow: Flow, findings: Findings) -> None:
    """Find networks of timm that it doesn't have; it is loaded only if the matrix names one."""
    named = [(name, key, network) for name in flow.study.matrix.models for key, network in _networks(flow, name)]
    if not named:
        return
    from eegwf.models.pretrained import unknown

    for model, key, network in named:
        if fault := unknown(network):
            findings.problems.append(f"{flow.matrix.place('models', model, key)}: {fault}")


def _networks(flow: Flow, model: str) -> list[tuple[str, str]]:
    """Networks that a model's entry names: the key's last part, and the name."""
    entry = flow.study.models[model]
    found = [(key, entry.fixed[key]) for key in NAMES if entry.fixed.get(key)]
    searched = [(key, entry.search[key]) for key in NAMES if key in entry.search]
    return found + [(key, value) for key, drawn in searched for value in getattr(drawn, "choices", ()) if value]
