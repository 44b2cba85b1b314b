"""Configuration of the spectrograms."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from eegwf.config.section import Section


class Grid(Section):
    """Frequency and time axis of a spectrogram."""

    n_freqs: int = Field(40, ge=2, le=1024, description="Number of frequency bins.")
    n_frames: int = Field(40, ge=2, le=4096, description="Number of time frames.")
    f_min: float = Field(0.5, ge=0, description="Lowest frequency in Hz.")
    f_max: float = Field(64.0, gt=0, description="Highest frequency in Hz.")
    span: float | None = Field(
        None,
        gt=0,
        description="Seconds in the middle of a window with its context (`windows.context`) that are transformed; "
        "null: all.",
    )

    @model_validator(mode="after")
    def _ordered(self):
        if self.f_min >= self.f_max:
            raise ValueError(f"f_min {self.f_min} Hz is not below f_max {self.f_max} Hz")
        return self


class Stft(Grid):
    """Short-time Fourier transform with a Hann window; log power."""

    f_min: float = Field(1.0, ge=0, description="Lowest frequency in Hz; `window` must contain one period of it.")
    window: float = Field(1.0, gt=0, description="Length of the Hann window in seconds.")


class Mel(Grid):
    """Mel filter bank (Slaney) applied to the power of the short-time Fourier transform."""

    f_min: float = Field(0.5, ge=0, description="Lowest frequency in Hz; `window` must contain one period of it.")
    window: float = Field(2.0, gt=0, description="Length of the Hann window in seconds.")


class Cwt(Grid):
    """Continuous wavelet transform with analytic wavelets and logarithmically spaced frequencies."""

    f_min: float = Field(1.0, gt=0, description="Lowest frequency in Hz.")
    wavelet: Literal["morlet", "morse"] = Field("morlet", description="Complex Morlet or generalized Morse wavelet.")
    cycles: float = Field(
        6.0,
        gt=2,
        description="Center frequency of the Morlet wavelet in radians (w0), or the square root of the time-bandwidth "
        "product of the Morse wavelet.",
    )
    gamma: float = Field(3.0, gt=0, description="Symmetry parameter of the Morse wavelet; 3 is the most symmetric.")
    tolerance: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Allowed error of the power of a cell for white noise: relative, root mean square.",
    )


class Acf(Grid):
    """Short-time autocorrelation at the lags of logarithmically spaced repetition rates, which no gain changes."""

    f_min: float = Field(
        0.5, gt=0, description="Lowest repetition rate in Hz; `window` must contain 1.5 periods of it."
    )
    f_max: float = Field(8.0, gt=0, description="Highest repetition rate in Hz.")
    window: float = Field(3.0, gt=0, description="Length of a frame in seconds.")


class InputGrids(Section):
    """Parameters of the spectrograms of an input, and the order in which they are stacked on the channel axis."""

    stacked: list[str]
    mel: Mel | None = None
    cwt: Cwt | None = None
    stft: Stft | None = None
    acf: Acf | None = None

    @property
    def by_name(self) -> dict[str, Grid]:
        """Parameters of each spectrogram, in this order."""
        return {name: getattr(self, name) for name in self.stacked}


class Spectrograms(Section):
    """Parameters of each spectrogram, and where and when they are computed."""

    on_the_fly: bool = Field(
        False,
        description="Compute the spectrograms whenever windows are read, on the device of the model, instead of "
        "writing arrays. On the CPU the results are the same bytes; trainings take longer, and no disk is needed.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "cpu",
        description="Device; `auto`: a GPU if there is one. Results on a GPU differ from those on the CPU in the last "
        "digits.",
    )
    mel: Mel = Mel()
    stft: Stft = Stft()
    cwt: Cwt = Cwt()
    acf: Acf = Acf()
    concat: list[Literal["mel", "stft", "cwt", "acf"]] = Field(
        ["mel", "cwt", "stft"],
        min_length=2,
        description="Spectrograms that `concat` stacks on the channel axis, in this order; they need equal `n_freqs` "
        "and `n_frames`.",
    )

    @field_validator("concat")
    @classmethod
    def _different(cls, value: list[str]) -> list[str]:
        doubled = [name for name in value if value.count(name) > 1]
        if doubled:
            raise ValueError(f"{doubled[0]} is in the list more than once; name each spectrogram once")
        return value

    def members(self, spectrogram: str) -> tuple[str, ...]:
        """Names of the spectrograms that form a model input: several for `concat`, otherwise the input itself."""
        return tuple(self.concat) if spectrogram == "concat" else (spectrogram,)

    def grids(self, spectrogram: str) -> InputGrids:
        """Parameters of the spectrograms that form a model input, which is not `raw`."""
        names = self.members(spectrogram)
        return InputGrids(stacked=list(names), **{name: getattr(self, name) for name in names})
