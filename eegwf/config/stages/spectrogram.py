"""Settings of the stage that computes a spectrogram."""

from typing import Literal

from eegwf.config.spectrograms import Acf, Cwt, Grid, Mel, Stft
from eegwf.config.stages.base import StageSettings


class SpectrogramSettings(StageSettings):
    """Settings of `spectrogram`: one of `mel`, `stft`, `cwt` and `acf`, and the device."""

    device: Literal["auto", "cpu", "cuda"]
    mel: Mel | None = None
    stft: Stft | None = None
    cwt: Cwt | None = None
    acf: Acf | None = None

    @property
    def grid(self) -> Grid:
        """Parameters of the spectrogram."""
        given = [grid for grid in (self.mel, self.stft, self.cwt, self.acf) if grid is not None]
        if len(given) != 1:
            raise ValueError(f"expected the parameters of one spectrogram, found {len(given)}")
        return given[0]
