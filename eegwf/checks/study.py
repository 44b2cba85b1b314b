"""Check of a whole study."""

from eegwf.checks.bids import check_bids
from eegwf.checks.external import check_external
from eegwf.checks.findings import Findings, format_names
from eegwf.checks.fold_arrays import check_fold_arrays
from eegwf.checks.hyperparameters import check_hyperparameters
from eegwf.checks.initialization import check_initial_weights
from eegwf.checks.models import check_models
from eegwf.checks.synthetic import check_synthetic
from eegwf.dag.flow import Flow
from eegwf.errors import InputError

CHECKS = {"synthetic": check_synthetic, "fold_arrays": check_fold_arrays}


def check_study(flow: Flow, samples: bool | None = None) -> Findings:
    """Compare the configuration of a study with its data; no files are written.

    Parameters
    ----------
    flow
        The study.
    samples
        Whether to read the samples of recordings; None if there are few.

    Returns
    -------
    Findings
    """
    findings = Findings()
    check_models(flow, findings)
    if not findings.problems:
        check_hyperparameters(flow, findings)
    check_initial_weights(flow, findings)
    try:
        if flow.kind in ("bids", "files"):
            check_bids(flow, findings, samples)
        else:
            CHECKS[flow.kind](flow, findings)
        check_external(flow, findings, samples)
    except InputError as error:
        findings.problems.append(str(error))
    except OSError as error:
        findings.problems.append(
            f"{error.filename or error}: {error.strerror or type(error).__name__}; make the file readable"
        )
    names = [report.split("/")[-2] for report in flow.reports()]
    findings.facts.append(f"reports: {flow.results}/NAME/report.html for {format_names(names, limit=8)}")
    return findings
