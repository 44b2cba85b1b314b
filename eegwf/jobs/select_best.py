"""What an outer fold takes from its study: all trials, the best sets, and what they cost."""

from pathlib import Path
from typing import Any

from eegwf.config.tuning import Tuning
from eegwf.errors import InputError
from eegwf.storage.files import write_json, write_table
from eegwf.training.cost_record import read_ledger
from eegwf.tuning.budget import Budget, finished
from eegwf.tuning.journal import open_study, read_pointer
from eegwf.tuning.selection import best_sets, trials_table


def tune_fold(config: dict[str, Any], workers: list[str], state: str, trials: str, best: str, timing: str) -> None:
    """Write `trials.tsv`, `best.json` and `timing.tsv` of a finished study.

    Parameters
    ----------
    config
        Slice of the configuration: the search space, the budget, how many sets are retrained.
    workers
        What the study's workers wrote.
    state
        Folder of unfinished work.
    trials, best, timing
        Files to write.

    Raises
    ------
    InputError
        If the workers speak of different studies, or their study is gone or unfinished.
    """
    pointers = {read_pointer(path, Path(state)) for path in workers}
    name, folder = pointers.pop()
    again = f"remove {Path(workers[0]).parent} and run again"
    if pointers:
        raise InputError(f"{Path(workers[0]).parent}: its workers worked on different studies; {again}")
    if not folder.is_dir():
        raise InputError(f"{folder}: the study {name} is no longer there; {again}")
    tuning, fixed = Tuning.model_validate(config["tuning"]), config["space"]["fixed"]
    budget, spent = Budget.of(tuning, config["retrain"]["top"]), read_ledger(folder)
    # Of a study that had a larger budget before, what a fresh one with this budget would hold.
    found = budget.within(open_study(folder, name).get_trials())
    sets = best_sets(found, fixed, budget.top)
    if len(sets) < budget.top or not finished(found, budget, spent.groupby("what")["seconds"].sum()):
        raise InputError(f"{folder}: the study {name} is not finished; {again}")
    spent = spent.rename(columns={"what": "trial"})
    write_table(trials, trials_table(found, fixed, tuning.inner_folds))
    write_json(best, [{"study": name, **entry} for entry in sets])
    write_table(timing, spent[spent["trial"].isin([trial.number for trial in found])])
