"""What the settings of all stages have in common."""

from typing import Any, Self

from pydantic import ValidationError

from eegwf.config.section import Section
from eegwf.errors import InputError


class StageSettings(Section):
    """Settings that decide the result of a stage."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read settings from JSON.

        Raises
        ------
        InputError
            If the text is not JSON, or a key is missing, unknown or has a wrong value.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            lines = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
            raise InputError(f"--settings: not the settings of this stage: {'; '.join(lines)}") from None

    def identity(self) -> dict[str, Any]:
        """The settings as JSON-able values, for the digest of the stage's state folder."""
        return self.model_dump(mode="json")
