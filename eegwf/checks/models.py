"""Whether the networks that the configuration names exist."""

import difflib

from eegwf.checks.findings import Findings
from eegwf.flow import Flow


def check_models(flow: Flow, findings: Findings) -> None:
    """Find networks of timm that it doesn't have; it is loaded only if the matrix names one."""
    named = {name: flow.study.models[name].timm for name in flow.study.matrix.models}
    if not any(named.values()):
        return
    import timm

    known = timm.list_models()
    for model, network in named.items():
        if network is not None and network.partition(".")[0] not in known:
            near = difflib.get_close_matches(network, known, n=3, cutoff=0.5)
            advice = f"near it are {', '.join(near)}" if near else "timm.list_models() names them all"
            findings.problems.append(f"{flow.matrix.place('models', model, 'timm')}: timm has no {network!r}; {advice}")
