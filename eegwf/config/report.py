"""Configuration of the report."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section


class Report(Section):
    """Samples of the EEG, texts and comparisons in the report of a combination."""

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
    dataset_name: str | None = Field(
        None,
        min_length=1,
        description="Name of the data set in texts for a paper, such as `CHB-MIT`. The published scores and the "
        "references of this name are added to the report; null: the data set has no name.",
    )
    figure_formats: list[Literal["svg", "pdf"]] = Field(
        ["svg", "pdf"],
        description="Formats of the figures in the folder `paper`; `[]`: none. PDF takes about 0.3 s for each figure.",
    )
    published: str | None = Field(
        None,
        min_length=1,
        description="Table of published scores that are shown beside those of the project, in the columns of "
        "`eegwf/report/paper/published.tsv`; null: no further ones.",
    )
