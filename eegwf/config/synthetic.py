"""Configuration of the synthetic data set."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section

# Columns of its participants.tsv, besides the ids.
PARTICIPANT_COLUMNS = ("group",)


class Synthetic(Section):
    """A data set that the workflow generates, with known seizures."""

    kind: Literal["synthetic"] = Field(description="The data set is generated.")
    n_focal: int = Field(11, ge=0, description="Patients with focal seizures only.")
    n_generalized: int = Field(11, ge=0, description="Patients with generalized seizures only.")
    n_both: int = Field(2, ge=0, description="Patients with both kinds of seizure.")
    n_none: int = Field(4, ge=0, description="Patients without seizures.")
    minutes: float = Field(4.0, gt=0.5, le=600, description="Length of each recording in minutes.")
    seizures: int = Field(3, ge=1, description="Number of seizures in a recording of a patient with seizures.")
    seed: int = Field(7, ge=0, description="Seed of the generator.")
    event_types: list[str] = Field(["bckg", "sz"], description="Event types that annotations may have.")
    unannotated: str = Field("bckg", description="Event type of time without an event.")
