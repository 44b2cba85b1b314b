"""Select the best parameter sets of a finished Optuna study for an outer fold."""

from pathlib import Path

from eegwf.config.stages.model import SelectBestSettings
from eegwf.errors import InputError
from eegwf.storage.files import write_json, write_table
from eegwf.training.cost_record import read_costs, seconds_per_unit
from eegwf.tuning.budget import TrialBudget, finished
from eegwf.tuning.journal import open_study, read_pointer
from eegwf.tuning.selection import best_sets, repeat_for_seeds, trials_table


def run(settings: SelectBestSettings, workers: list[Path], state: Path, trials: Path, best: Path, timing: Path) -> None:
    """Write all trials of a study, its best parameter sets and their cost.

    Parameters
    ----------
    settings
        Budget of the study, and how many parameter sets are retrained, with how many random seeds.
    workers
        Files that the workers of the study wrote.
    state
        Folder of unfinished work.
    trials, best, timing
        Files to write.

    Raises
    ------
    InputError
        If the workers name different studies, or their study is missing or unfinished.
    """
    pointers = {read_pointer(path, state) for path in workers}
    name, folder = pointers.pop()
    remedy = f"remove {workers[0].parent} and run again"
    if pointers:
        raise InputError(f"{workers[0].parent}: its workers worked on different studies; {remedy}")
    if not folder.is_dir():
        raise InputError(f"{folder}: the study {name} is missing; {remedy}")
    budget, costs = TrialBudget(settings.n_best, settings.budget), read_costs(folder)
    # A study that had a larger budget before has more trials than one with this budget would have.
    kept = budget.within(open_study(folder, name).get_trials())
    sets = best_sets(kept, settings.fixed, settings.n_best)
    if len(sets) < settings.n_best or not finished(kept, budget, seconds_per_unit(costs)):
        raise InputError(f"{folder}: the study {name} is not finished; {remedy}")
    costs = costs.rename(columns={"unit": "trial"})
    write_table(trials, trials_table(kept, settings.fixed, settings.inner_folds))
    write_json(best, [{"study": name, **entry} for entry in repeat_for_seeds(sets, settings.n_seeds)])
    write_table(timing, costs[costs["trial"].isin([trial.number for trial in kept])])
