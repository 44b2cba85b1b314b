"""Configuration of external data sets, on which the models of a study are tested."""

from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError, field_validator

from eegwf.config.channels import Channels
from eegwf.config.data import Bids, Files, Synthetic
from eegwf.config.layers import reach
from eegwf.config.messages import sentence
from eegwf.config.path_text import expand_paths
from eegwf.config.patients import normalize_mapping
from eegwf.config.section import Section
from eegwf.config.study import ExternalSet, StudyDesign
from eegwf.config.yaml_files import read_yaml
from eegwf.errors import InputError

SECTIONS = ("dataset", "patients", "channels")


class ExternalData(Section):
    """The sections of a configuration file that an external test uses; other keys of the file are ignored."""

    model_config = ConfigDict(extra="ignore")

    dataset: Annotated[Synthetic | Bids | Files, Field(discriminator="kind")]
    patients: dict[str, str] = Field({})
    channels: Channels = Channels()

    @field_validator("patients")
    @classmethod
    def _one_name_per_person(cls, value: dict[str, str]) -> dict[str, str]:
        return normalize_mapping(value)


def read_external(name: str, given: ExternalSet) -> ExternalData:
    """Read the configuration file of an external data set.

    Parameters
    ----------
    name
        Name of the set.
    given
        Its file, and the folder of its data.

    Returns
    -------
    ExternalData
        Its data set, names of persons and names of channels.

    Raises
    ------
    InputError
        If the file can't be read, has no data set of recordings, or a key of the three sections is wrong; one line for
        each error.
    """
    content = read_yaml(given.configfile)
    kept = {key: value for key, value in content.items() if key in SECTIONS}
    kind = reach(kept, ("dataset", "kind"))
    if kind not in ("synthetic", "bids", "files"):
        found = f"dataset.kind is {kind!r}" if isinstance(kind, str) else "no dataset.kind"
        raise InputError(
            f"{given.configfile}: {found}; an external data set ({name}) has recordings: kind bids, files or synthetic"
        )
    if given.root is not None and kind == "synthetic":
        raise InputError(f"external.{name}.root: a synthetic data set is generated and has no root; remove the key")
    layers = [(given.configfile, kept)]
    if given.root is not None:
        kept["dataset"] = {**kept["dataset"], "root": ""}  # of a root that is replaced, no variable need be set
    kept = expand_paths(kept, layers)
    if given.root is not None:
        kept["dataset"]["root"] = given.root
    try:
        return ExternalData.model_validate(kept)
    except ValidationError as error:
        lines = dict.fromkeys(sentence(detail, kept, layers) for detail in error.errors())
        raise InputError("\n       ".join(lines)) from None


def read_externals(study: StudyDesign) -> dict[str, ExternalData]:
    """Read the configuration files of all external data sets of a study, by their names."""
    return {name: read_external(name, given) for name, given in study.external.items()}
