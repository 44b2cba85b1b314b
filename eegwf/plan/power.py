"""Mean power of the trainings of a stage, from the energy in their timing tables."""

from collections.abc import Iterable

import pandas as pd


def mean_watts(tables: Iterable[pd.DataFrame], on_gpu: bool) -> dict[str, float]:
    """Mean power.

    Parameters
    ----------
    tables
        Timing tables of tuning or retraining. Those of earlier versions have no energy.
    on_gpu
        Whether the trainings on a GPU or those on the CPU are taken.

    Returns
    -------
    dict
        Power in W: `cpu`, of all processor packages of the machine, and `gpu`, of the card; without what was not
        measured. Trainings on a GPU that other processes used at the same time don't count for `gpu`.
    """
    tables = [table for table in tables if {"device", "cpu_joules", "gpu_joules", "gpu_processes"} <= set(table)]
    if not tables:
        return {}
    rows = pd.concat(tables)
    rows = rows[(rows["device"] != "cpu") == on_gpu]
    alone = ~(rows["gpu_processes"] > 1)
    watts = {}
    for name, part in (("cpu", rows), ("gpu", rows[alone])):
        part = part[part[f"{name}_joules"].notna()]
        seconds = float(part["seconds"].sum())
        if seconds > 0:
            watts[name] = float(part[f"{name}_joules"].sum()) / seconds
    return watts
