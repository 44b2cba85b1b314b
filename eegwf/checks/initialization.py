"""Check of the source of the initial weights."""

from pathlib import Path

from eegwf.checks.findings import Findings
from eegwf.compute.deferred_compiler import defer_compiler
from eegwf.config.final_paths import FinalPaths
from eegwf.dag.flow import Flow
from eegwf.dag.initialization import init_problems
from eegwf.data.init_source import InitSource, normalization_problems
from eegwf.errors import InputError, format_names


def check_initial_weights(flow: Flow, findings: Findings) -> None:
    """Find what prevents trainings from starting with the weights of `training.init`.

    Parameters
    ----------
    flow
        The study.
    findings
        Receives the lines.

    Notes
    -----
    Samples and recordings are compared by the run itself (rule `initialize`).
    """
    study = flow.study
    if not study.training.init:
        return
    try:
        source = InitSource(study.training.init)
        findings.problems += (problems := init_problems(study, flow.combinations.all))
        if problems:
            return
        defer_compiler()
        from eegwf.models.tensors import shape_problems  # imports torch

        model = source.read_json(FinalPaths(Path()).model(1).model.as_posix())
        for name in dict.fromkeys(combination.model for combination in flow.combinations.all):
            space, normalization = study.models[name], study.training.normalization
            findings.problems += normalization_problems(
                source.name, model.get("normalization"), name, space, normalization
            )
            findings.problems += shape_problems(name, space.hyperparameter_values(), model)
    except InputError as error:
        findings.problems.append(str(error))
        return
    findings.facts.append(
        f"training.init: {source.name}, {source.description['model']} on {source.description['spectrogram']}, classes "
        f"{', '.join(source.description['classes'])}; the run compares its patients with those of this study"
    )


def check_shared_ids(flow: Flow, ids: set[str], findings: Findings) -> None:
    """Find ids of patients that the source of the initial weights has too.

    Parameters
    ----------
    flow
        The study.
    ids
        Ids of its patients, and those of their folders.
    findings
        Receives the lines.
    """
    training = flow.study.training
    if not training.init or training.init_same_ids != "one_person":
        return
    try:
        common = sorted(ids & set(InitSource(training.init).ids))
    except InputError:  # check_initial_weights reports it
        return
    if common:
        findings.problems.append(
            f"training.init: the training patients of {training.init} have the ids {format_names(common)}; exclude "
            "them (dataset.exclude), or, if equal ids are different persons, set training.init_same_ids: "
            "different_persons"
        )
