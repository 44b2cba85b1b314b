"""Base class of all sections of the configuration."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class TruthValue:
    """True or false where a number is expected: no type of pydantic accepts it, while it accepts a bool as 1 or 0.

    Parameters
    ----------
    value
        The value, as which YAML also reads `on`, `off`, `yes` and `no`.
    """

    def __init__(self, value: bool):
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


class Section(BaseModel):
    """A section of the configuration: immutable, refusing unknown keys and wrong types."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _no_truth_values_for_numbers(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields
        return {
            name: _marked(value, fields[name].annotation) if name in fields else value for name, value in given.items()
        }


def _marked(value: Any, annotation: Any) -> Any:
    """A value in which true and false are replaced if the annotation has a number, but no truth value."""
    if isinstance(value, bool):
        kinds = _kinds(annotation)
        return TruthValue(value) if bool not in kinds and kinds & {int, float} else value
    return [_marked(item, annotation) for item in value] if isinstance(value, list) else value


def _kinds(annotation: Any) -> set[Any]:
    """Types that an annotation contains."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))
