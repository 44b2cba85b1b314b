"""Check of the networks that the configuration names."""

from eegwf.checks.findings import Findings
from eegwf.compute.deferred_compiler import defer_compiler
from eegwf.dag.flow import Flow

NAMES = ("timm", "architecture")


def check_models(flow: Flow, findings: Findings) -> None:
    """Find networks that timm does not have.

    Parameters
    ----------
    flow
        The study.
    findings
        Receives the lines.

    Notes
    -----
    timm, which needs seconds to import, is imported only if the matrix names a network of timm.
    """
    named = [(name, key, network) for name in flow.study.matrix.models for key, network in _networks(flow, name)]
    if not named:
        return
    defer_compiler()
    from eegwf.models.pretrained import unknown

    for model, key, network in named:
        if fault := unknown(network):
            findings.problems.append(f"{flow.combinations.place('models', model, key)}: {fault}")


def _networks(flow: Flow, model: str) -> list[tuple[str, str]]:
    """Networks in the configuration of a model: last part of the key, and name."""
    entry = flow.study.models[model]
    networks = [(key, str(entry.fixed[key])) for key in NAMES if entry.fixed.get(key)]
    distributions = [(key, entry.search[key]) for key in NAMES if key in entry.search]
    for key, distribution in distributions:
        networks += [(key, value) for value in getattr(distribution, "choices", ()) if value]
    return networks
