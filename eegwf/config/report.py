"""Configuration of the report."""

from pydantic import Field

from eegwf.config.section import Section


class Report(Section):
    """EEG in the report of a combination."""

    include_eeg: bool = Field(
        True,
        description="Whether the report contains samples of the EEG; false for recordings that must not leave: no "
        "sample is in the page then.",
    )
    max_snippets: int = Field(
        12,
        ge=0,
        le=500,
        description="Maximum number of stretches of 30 s of EEG in a report: examples of misses, false alarms and "
        "borderline windows, and onsets of seizures. The page grows by about 0.3 MB for each.",
    )
