"""Source of the models: the folder of a run with its final models, or a bundle of them, packed or unpacked."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eegwf.config.final_paths import FinalPaths
from eegwf.config.fold_paths import RankPaths
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.errors import InputError
from eegwf.prediction.description import FinalDescription, read_description
from eegwf.storage.files import digest, digest_file, read_json
from eegwf.storage.model_archive import DAMAGED, FOLDER, model_entries


@dataclass(frozen=True)
class Source:
    """Final models, and the run that they belong to.

    Attributes
    ----------
    final
        Files of the final models.
    run
        Files of the run; None for a bundle.
    """

    final: FinalPaths
    run: RunPaths | None

    def description(self) -> FinalDescription:
        """Content of `models.json`."""
        return read_description(self.final.description)

    def digest(self) -> str:
        """Digest of the files that decide a prediction: the final models and, of a run, those of its folds."""
        files = [path for path in self.final.folder.rglob("*") if path.is_file()]
        if self.run is not None:
            files += [self.run.run_record, self.run.metrics, ResultPaths(self.run.folder.parent).data.folds]
            for rank in map(RankPaths, self.run.folder.glob("fold*/retrain/rank*")):
                files += [rank.model, rank.weights, rank.calibration]
        root = self.final.folder.parent.parent
        return digest(
            [[path.relative_to(root).parts[1:], digest_file(path)] for path in sorted(files) if path.is_file()]
        )

    def check_complete(self, name: Path) -> None:
        """Check that there are all files that the description names.

        Parameters
        ----------
        name
            Run or bundle, for the message.

        Raises
        ------
        InputError
            If a file is missing.
        """
        models = [self.final.model(number) for number in range(1, len(self.description().models) + 1)]
        files = [*self.final.common_files, *(file for model in models for file in model.files)]
        missing = [file.relative_to(self.final.folder.parent) for file in files if not file.is_file()]
        if missing:
            again = "make the bundle again" if self.run is None else "run `finalize` again"
            raise InputError(f"{name}: no {missing[0]}; {again}")


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a run or a bundle.

    Parameters
    ----------
    path
        Folder of a combination, such as `results/vit_mel_3class`, or a zip file of `eegwf bundle --weights`, also
        unpacked.

    Yields
    ------
    Source
        Its files. Those of a bundle are in a temporary folder, which is removed afterward.

    Raises
    ------
    InputError
        If there are no final models.
    """
    if path.is_dir():
        if not RunPaths(path).final.description.is_file():
            raise InputError(_missing(RunPaths(path)))
        # The study's data are beside the folder itself, not beside a link to it.
        run = RunPaths(path.resolve())
        yield Source(run.final, run if _has_results(run) else None)
        return
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path}: neither the folder of a finished combination nor a bundle of `eegwf bundle --weights`"
        )
    with tempfile.TemporaryDirectory(prefix="eegwf_") as folder:
        _extract(path, Path(folder))
        yield Source(FinalPaths(Path(folder, FOLDER)), None)


def _has_results(run: RunPaths) -> bool:
    """Whether a folder with final models is a run, of which some files may be missing, not an unpacked bundle."""
    return run.metrics.is_file() or run.run_record.is_file() or any(run.folder.glob("fold*"))


def _missing(run: RunPaths) -> str:
    """Why a run has no final models, and what to do."""
    record = read_json(run.run_record) if run.run_record.is_file() else {}
    if record.get("config", {}).get("dataset", {}).get("kind") == "fold_arrays":
        return f"{run.folder}: a study of fold arrays, which do not say how recordings are read; it can't predict any"
    if not _has_results(run):
        return f"{run.folder}: not the folder of a combination; expected one such as results/vit_mel_3class"
    return (
        f"{run.folder}: no final models ({run.final.description.relative_to(run.folder)}); train them with `snakemake "
        f"{run.final.description}` and the configuration of the run"
    )


def _extract(path: Path, folder: Path) -> None:
    """Extract the files of the final models."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in model_entries(path, archive):
                archive.extract(entry, folder)
    except DAMAGED as error:
        raise InputError(f"{path}: can't be unpacked ({error}); copy it, or make the bundle, again") from None
