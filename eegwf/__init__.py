"""From EEG recordings to seizure classifiers that can be trusted.

The workflow calls this library stage by stage; from Python, `load_run` opens what a run has left.
"""

__version__ = "0.1.0"


def __getattr__(name: str):
    # Imported when asked for: the workflow imports this package at every parse, and models bring torch.
    if name in ("load_run", "Run"):
        from eegwf import runs

        return getattr(runs, name)
    raise AttributeError(f"module 'eegwf' has no attribute {name!r}")
