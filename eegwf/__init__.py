"""Training and evaluation of seizure classifiers on EEG recordings, from raw data to reports.

The Snakemake workflow calls this library stage by stage. In Python, `load_run` opens the results of a finished run.
"""

__version__ = "0.1.0"


def __getattr__(name: str):
    # Imported on first use: Snakemake imports this package whenever it reads the workflow, and models import torch.
    if name in ("load_run", "Run"):
        from eegwf import runs

        return getattr(runs, name)
    raise AttributeError(f"module 'eegwf' has no attribute {name!r}")
