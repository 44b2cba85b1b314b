"""Write the synthetic data set."""

from pathlib import Path

from eegwf.config.stages.data import SynthesizeSettings
from eegwf.data.synthetic.dataset import write_dataset


def run(settings: SynthesizeSettings, output: Path, workers: int = 1) -> None:
    """Write the synthetic data set.

    Parameters
    ----------
    settings
        The data set.
    output
        Root of the data set.
    workers
        Number of processes.
    """
    write_dataset(output, settings.dataset, workers, progress=True)
