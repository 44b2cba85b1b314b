"""Configuration of the synthetic data set."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section

# Columns of its participants.tsv, besides the ids.
PARTICIPANT_COLUMNS = ("group",)


MICROVOLTS_PER_STEP = 0.1


class Amplifier(Section):
    """Recording system of the synthetic data set."""

    sfreq: int = Field(256, ge=64, le=1024, description="Sampling rate of the files in Hz.")
    reference: Literal["common", "average"] = Field(
        "common",
        description="Reference of the 19 channels: `common`, named as in `EEG T3-REF`, or `average`, their mean, named "
        "as in `T7-AVG`.",
    )
    gain: float = Field(1.0, gt=0, le=10, description="Factor of all signals: 1 for a calibrated amplifier.")
    noise: float = Field(0.0, ge=0, le=100, description="Standard deviation of additional white noise in microvolts.")

    gain_spread: float = Field(
        0.0, ge=0, le=12, description="Standard deviation over the patients of a further gain in dB."
    )
    tilt_spread: float = Field(
        0.0,
        ge=0,
        le=6,
        description="Standard deviation over the patients of the slope of the frequency response, in dB per octave "
        "above 0.5 Hz; the response at 8 Hz is 0 dB.",
    )
    electrode_spread: float = Field(
        0.0, ge=0, le=12, description="Standard deviation over the channels of each patient of a further gain in dB."
    )

    @property
    def noise_steps(self) -> float:
        """Noise in digital steps."""
        return self.noise / MICROVOLTS_PER_STEP


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
    amplifier: Amplifier = Amplifier()
    event_types: list[str] = Field(["bckg", "sz"], description="Event types that annotations may have.")
    unannotated: str = Field("bckg", description="Event type of time without an event.")
