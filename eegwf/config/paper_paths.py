"""Names of the files for a paper: `<combination>/paper/`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PaperPaths:
    """Texts, tables and figures for a paper."""

    folder: Path

    @property
    def text(self) -> Path:
        """Paragraphs on methods and results."""
        return self.folder / "text.md"

    def checklist(self, name: str) -> Path:
        """A reporting checklist."""
        return self.folder / f"{name}.tsv"

    @property
    def references(self) -> Path:
        """References of everything that was used."""
        return self.folder / "references.bib"

    @property
    def model_card(self) -> Path:
        """Description of the models, as the Hugging Face Hub shows it."""
        return self.folder / "model_card.md"

    def table(self, name: str) -> Path:
        """A table of the report."""
        return self.folder / "tables" / f"{name}.tsv"

    def figure(self, name: str, kind: str) -> Path:
        """A figure of the report.

        Parameters
        ----------
        name
            Name of the figure.
        kind
            `svg` or `pdf`.

        Returns
        -------
        Path
            The file.
        """
        return self.folder / "figures" / f"{name}.{kind}"
