"""Names of channels: those of the study, and those in the files of recordings."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from eegwf.config.section import Section

ChannelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Channels(Section):
    """Names of channels that are not those of the 10-20 system."""

    aliases: dict[ChannelName, Annotated[list[ChannelName], Field(min_length=1)]] = Field(
        {},
        description="For names of the study, the names that the channel has in the files, such as `C3: [X1, EEG C3P]`; "
        "the first that a recording has and that no name before takes is used. Other names than electrodes are "
        "possible with `montage: as recorded`. In a later file, `null` removes an entry.",
    )
    net: Literal["hydrocel128", "hydrocel256", "biosemi32", "biosemi64", "biosemi128"] | None = Field(
        None,
        description="Net whose electrodes (`E1`, `A1`) are read as those of the 10-20 or 10-10 system with their "
        "position: HydroCel nets have 18 of these, BioSemi caps 32, 64 or (of 128) 21; null: such names are no "
        "electrodes.",
    )
    references: list[ChannelName] = Field(
        [], description="Further names of references in names of channels, such as `X` for `C3-X`."
    )
    unit: Literal["V", "mV", "uV", "nV"] | None = Field(
        None,
        description="Unit of EEG channels that have none, neither in the header of an EDF or BDF file nor in "
        "`_channels.tsv`; null: such a channel can't be used.",
    )
    status: Literal["ignore", "exclude_bad"] = Field(
        "ignore",
        description="Treatment of channels with the status `bad` in `_channels.tsv`: `ignore` the status, or "
        "`exclude_bad`, read the recording as if it did not have them (see `signals.missing`).",
    )

    @field_validator("aliases")
    @classmethod
    def _each_name_once(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for place, names in [("aliases", list(value)), *value.items()]:
            spelled = [spelling(name) for name in names]
            doubled = [name for name, text in zip(names, spelled, strict=True) if spelled.count(text) > 1]
            if doubled:
                raise ValueError(
                    f"{place}: {doubled[-1]!r} is given twice (upper and lower case are the same); remove one of them"
                )
        return value


def spelling(name: str) -> str:
    """Spelling by which names of channels are compared.

    Parameters
    ----------
    name
        Name of a channel, in a file or in the configuration.

    Returns
    -------
    str
        The name without differences in case and blanks.
    """
    return " ".join(name.casefold().split())
