"""Configuration of the report."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section


class Report(Section):
    """Texts and comparisons in the report of a combination."""

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
