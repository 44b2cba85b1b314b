"""Read, merge and validate configuration files."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from eegwf.config.channels import Channels
from eegwf.config.layers import COMMAND_LINE, Layers, merge
from eegwf.config.messages import sentence
from eegwf.config.path_text import expand_path, expand_paths
from eegwf.config.study import Study, StudyDesign
from eegwf.config.yaml_files import read_yaml
from eegwf.errors import InputError


def load_study(default: Path | str, files: Sequence[Path | str] = (), overrides: dict | None = None) -> Study:
    """Merge and validate configuration files.

    Parameters
    ----------
    default
        File with the defaults of the workflow.
    files
        Further files; a later file overrides an earlier one key by key. `dataset`, each class set and each entry of a
        search space are replaced as a whole.
    overrides
        Settings of the command line; `data_root` means `dataset.root`.

    Returns
    -------
    Study
        The validated configuration.

    Raises
    ------
    InputError
        One line for each error.
    """
    merged, layers = read_layers(default, files, overrides)
    return validate(merged, layers)


def read_layers(
    default: Path | str, files: Sequence[Path | str] = (), overrides: dict | None = None
) -> tuple[dict, Layers]:
    """Read and merge configuration files without validating them.

    Parameters
    ----------
    default, files, overrides
        As in `load_study`.

    Returns
    -------
    merged, layers
        The merged mapping with expanded paths, and the contents of each file and of the command line in their order,
        from which errors find the file that sets a key.

    Raises
    ------
    InputError
        If a file is not YAML, `data_root` is given for a data set without a root, or a path contains a variable that
        is not set.
    """
    layers = [(str(path), read_yaml(path)) for path in (default, *files)]
    overrides = dict(overrides or {})
    data_root = overrides.pop("data_root", None)
    layers.append((COMMAND_LINE, overrides))
    merged: dict = {}
    for _, layer in layers:
        merged = merge(merged, layer)
    if data_root is not None:
        dataset = merged.get("dataset")
        kind = dataset.get("kind") if isinstance(dataset, dict) else None
        if kind not in ("bids", "files") or not isinstance(dataset, dict):
            raise InputError(
                f"{COMMAND_LINE} data_root={data_root}: only a dataset of kind 'bids' or 'files' has a root, this "
                f"dataset is {kind!r}; add the data set's file (--configfile config/datasets/NAME.yaml)"
            )
        # Of a root that the command line replaces, no variable need be set.
        merged["dataset"] = {key: value for key, value in dataset.items() if key != "root"}
        merged = expand_paths(merged, layers)
        merged["dataset"]["root"] = expand_path(str(data_root), f"{COMMAND_LINE} data_root") if data_root else ""
        return merged, layers
    return expand_paths(merged, layers), layers


def validate(merged: dict, layers: Layers) -> Study:
    """Validate a merged configuration.

    Parameters
    ----------
    merged, layers
        As `read_layers` returns them.

    Returns
    -------
    Study
        The configuration.

    Raises
    ------
    InputError
        One line for each error, with the file that sets the key.
    """
    try:
        return Study.model_validate(merged)
    except ValidationError as error:
        lines = {sentence(detail, merged, layers): None for detail in error.errors()}
        raise InputError("\n       ".join(lines)) from None


def read_channels(path: Path) -> Channels:
    """Read the section `channels` of a configuration file.

    Raises
    ------
    InputError
        If the file is not YAML, has no such section, or the section is not valid.
    """
    content = read_yaml(path).get("channels")
    if content is None:
        raise InputError(f"{path}: no section `channels`; see docs/config.md for its keys")
    try:
        return Channels.model_validate(content)
    except ValidationError as error:
        lines = [f"channels.{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
        raise InputError(f"{path}: {'; '.join(lines)}") from None


def validate_record(config: dict, path: Path) -> StudyDesign:
    """Validate the configuration that a finished run recorded.

    Parameters
    ----------
    config
        The recorded configuration.
    path
        The file that contains it.

    Returns
    -------
    StudyDesign
        The configuration.

    Raises
    ------
    InputError
        If another version of eegwf, with other keys, recorded it.
    """
    try:
        return StudyDesign.model_validate(config)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        raise InputError(
            f"{path}: config: {place}: {detail['msg']}; another version of eegwf wrote this file: use that version, or "
            "repeat the run"
        ) from None
