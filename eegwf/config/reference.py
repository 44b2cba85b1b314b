"""The page that explains every key of the configuration, made from its definition."""

import argparse
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from eegwf.config.data import ArrayFiles, Bids, FoldArrays, Name, Synthetic
from eegwf.config.section import Section
from eegwf.config.study import Study
from eegwf.config.tuning import Choices, Range
from eegwf.errors import InputError, run_script
from eegwf.storage.files import write_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "config.md"
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false", types.NoneType: "null"}

INTRODUCTION = """\
# Configuration

A study is what its configuration files say, merged. `config/config.yaml` of the checkout always comes first and holds
the laptop defaults; files given after `--configfile` follow, then `--config` of the command line:

    snakemake --configfile config/full.yaml config/datasets/siena.yaml --config data_root=/data/siena

Later files win key by key, with three exceptions that are replaced whole, never merged, since half of one and half of
another is never what was meant: `dataset`, each class set (`classes.2class`), and each entry of a search space
(`models.vit.search.lr`). A list is a value like any other and is replaced too. `--config data_root=PATH` stands for
`dataset.root`, so that a path need not be written into a file. A relative path starts where Snakemake is run.

A key that is not on this page is refused, and so is a value that doesn't fit, with the file and the key. See what a
configuration means for your data, before anything runs, with

    eegwf check --configfile config/datasets/siena.yaml --config data_root=/data/siena

This page is made by `python -m eegwf.config.reference`.
"""

OWN_DATA = """\
## Own data

Bring recordings into the BIDS form, as EDF, EDF+, BDF or BrainVision, each with its table of events:

    my_data/sub-01/eeg/sub-01_task-sz_run-01_eeg.edf
    my_data/sub-01/eeg/sub-01_task-sz_run-01_events.tsv
    my_data/sub-02/ses-01/eeg/...

`_events.tsv` has the columns `onset`, `duration` (in seconds) and `eventType`, separated by tabs; a recording without
events has the header alone. Event types are hierarchical: `sz` in the configuration matches `sz_foc_ia` in a table, and
where several entries of a class set match, the longest wins.

```yaml
# my_data.yaml
results: results/my_data
dataset:
  kind: bids
  root: /data/my_data
  event_types: [bckg, sz]
  unannotated: bckg          # time that no event covers
signals:
  montage: banana18
  notch: [50]
windows: {length: 10, step: 10, guard: 10}
classes:
  2class: {background: [bckg], seizure: [sz]}
matrix:
  models: [vit]
  spectrograms: [mel]
  classes: [2class]
```

Then `eegwf check --configfile my_data.yaml`, and `snakemake --configfile my_data.yaml`.
"""


def render() -> str:
    """Markdown of the whole page."""
    parts = [INTRODUCTION, "## Top level\n", _table(Study)]
    for name, field in Study.model_fields.items():
        if name == "dataset":
            parts += _dataset()
        elif name == "models":
            parts += ["## models.NAME\n", *_section(_sections(field.annotation)[0])]
            for entry, form in (("{low, high}", Range), ("{choices}", Choices)):
                parts += [f"### models.NAME.search.PARAMETER: `{entry}`\n", *_section(form)]
        elif found := _sections(field.annotation):
            parts += [f"## {name}\n", *_section(found[0])]
            for inner, inner_field in found[0].model_fields.items():
                if nested := _sections(inner_field.annotation):
                    parts += [f"### {name}.{inner}\n", *_section(nested[0])]
    return "\n".join([*parts, OWN_DATA])


def _dataset() -> list[str]:
    parts = ["## dataset\n", "One of three kinds.\n"]
    for kind in (Synthetic, Bids, FoldArrays):
        name = kind.model_fields["kind"].annotation.__args__[0]
        parts += [f"### dataset, `kind: {name}`\n", *_section(kind)]
    return [*parts, "### dataset.arrays.SPECTROGRAM\n", *_section(ArrayFiles)]


def _section(section: type[Section]) -> list[str]:
    return [f"{section.__doc__.splitlines()[0]}\n", _table(section)]


def _table(section: type[Section]) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in section.model_fields.items():
        lines.append(f"| `{name}` | {_type(field)} | {_default(field)} | {meaning(field)} |")
    return "\n".join(lines) + "\n"


def meaning(field: FieldInfo) -> str:
    """What a key is for: its description, or that of the section it holds."""
    if field.description:
        return field.description
    found = _sections(field.annotation)
    return found[0].__doc__.splitlines()[0] if found else ""


def all_sections(section: type[Section] = Study) -> list[type[Section]]:
    """A section of the configuration and all below it, each once."""
    found = [section]
    for field in section.model_fields.values():
        for inner in _sections(field.annotation):
            found += [one for one in all_sections(inner) if one not in found]
    return found


def _sections(annotation) -> list[type[Section]]:
    """Sections that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _sections(part)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, Section):
        return "see below"
    text = json.dumps(field.default, ensure_ascii=False).replace('"', "")
    return f"`{text}`" if text else "empty"


def _type(field: FieldInfo) -> str:
    return _words(field.annotation) + "".join(_bounds(field.metadata))


def _bounds(metadata: list) -> Iterator[str]:
    for constraint in metadata:
        for name, sign in BOUNDS.items():
            if (bound := getattr(constraint, name, None)) is not None:
                yield f", {sign} {bound}"
        if getattr(constraint, "min_length", None):
            yield ", not empty"
        if pattern := getattr(constraint, "pattern", None):
            yield f", `{pattern.strip('^$')}`".replace("|", "\\|")


def _words(annotation) -> str:
    """A type in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation == Name:
        return "name (`[a-z0-9-]+`)"
    if origin is typing.Annotated:
        return _words(arguments[0])
    if _sections(annotation):
        return f"mapping of {_words(arguments[0])} to section" if origin is dict else "section"
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"mapping of {_words(arguments[0])} to {_words(arguments[1])}"
    if origin in (typing.Union, types.UnionType):
        kinds = set(arguments)
        # A whole number is a number.
        return " or ".join(_words(kind) for kind in arguments if not (kind is int and float in kinds))
    return NAMES[annotation]


def main() -> None:
    """Read the arguments and write or compare the page."""
    parser = argparse.ArgumentParser(
        prog="python -m eegwf.config.reference",
        description=f"{__doc__}\n\nExample: python -m eegwf.config.reference",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write (default: docs/config.md)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    arguments = parser.parse_args()
    page = render()
    if not arguments.check:
        write_text(arguments.output, page)
    elif not arguments.output.exists() or arguments.output.read_text(encoding="utf-8") != page:
        raise InputError(f"{arguments.output}: not up to date; run python -m eegwf.config.reference")


if __name__ == "__main__":
    run_script(main)
