"""True region of the seizure in a window of the synthetic data set: channels, seconds and frequencies.

The file `truth.json` of the data set has, for each seizure, the time at which it reaches each electrode and the track
of its frequency. A bin of a window belongs to the region if

- its channel contains an electrode that the seizure has reached at the time of the frame, and that it reached at least
  `MARGIN` seconds before the end of the overlap of seizure and window: the amplitude grows from 0 when the seizure
  arrives, and after less than a second it is hardly visible. A derivation of two such electrodes belongs to the region
  although their signals cancel in part;
- the center of its frame is within the seizure;
- its frequency is at most `HERTZ`, or `SHARE` of the frequency of the track, from the track: single cycles are jittered
  by a few percent, and the bands of spectrograms have widths of that order. Harmonics do not count. The time series has
  no frequencies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, ValidationError, field_validator

from eegwf.data.signals.channels import parse_channel
from eegwf.errors import InputError
from eegwf.storage.files import read_json
from eegwf.training.spectrogram_dataset import time_range

MARGIN = 1.0  # s
HERTZ, SHARE = 1.0, 0.15


class TrueSeizure(BaseModel):
    """A seizure of `truth.json`; times are in seconds.

    Attributes
    ----------
    recording
        Name of the recording.
    onset, duration
        Onset from the start of the recording, and duration.
    delays
        Time from the onset until the seizure reaches each electrode.
    track
        Points (time from the start of the recording, Hz) of the frequency.
    """

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    recording: str
    onset: NonNegativeFloat
    duration: PositiveFloat
    delays: dict[str, NonNegativeFloat]
    track: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(min_length=1)

    @field_validator("track")
    @classmethod
    def _in_order_of_time(cls, track: list[list[float]]) -> list[list[float]]:
        if np.any(np.diff([seconds for seconds, _ in track]) < 0):
            raise ValueError("the points are not in the order of time")
        return track

    def overlap(self, onset: float, duration: float) -> tuple[float, float]:
        """Start and end of the overlap with a window.

        Parameters
        ----------
        onset, duration
            Onset of the window from the start of the recording, and its duration.

        Returns
        -------
        tuple of float
            Seconds of the recording; the end is not after the start if there is no overlap.
        """
        return max(self.onset, onset), min(self.onset + self.duration, onset + duration)

    def frequency(self, seconds: np.ndarray) -> np.ndarray:
        """Frequency in Hz at times of the recording in seconds, interpolated between the points of the track."""
        points = np.array(self.track)
        return np.interp(seconds, points[:, 0], points[:, 1])


@dataclass(frozen=True)
class Region:
    """True region of a seizure in a window.

    Attributes
    ----------
    channels
        Whether the seizure has reached each channel, `(n_chans,)`.
    frames
        Whether the center of each frame of each stacked spectrogram is within the seizure, `(n_arrays, n_frames)`.
    second
        Number of the second of each frame, from the onset of the window, `(n_arrays, n_frames)`.
    freqs
        Whether each frequency of each stacked spectrogram is on the track in at least one frame,
        `(n_arrays, n_freqs)`; None for the time series.
    array
        Index of the stacked spectrogram of each channel, `(n_chans,)`.
    mask
        Whether each bin is in the region, `(n_chans, n_freqs, n_frames)`.
    """

    channels: np.ndarray
    frames: np.ndarray
    second: np.ndarray
    freqs: np.ndarray | None
    array: np.ndarray
    mask: np.ndarray


def read_truth(path: Path) -> list[TrueSeizure]:
    """Read the seizures of `truth.json`.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of TrueSeizure
        The seizures of all recordings.

    Raises
    ------
    InputError
        If the file is missing or not of this format, for example written before it contained `delays`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the ground truth of the synthetic data set")
    content = read_json(path)
    entries = content.get("seizures") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise InputError(f"{path}: no list 'seizures'; expected the ground truth of the synthetic data set")
    return [_seizure(path, number, entry) for number, entry in enumerate(entries)]


def seizure_of(seizures: Sequence[TrueSeizure], recording: str, onset: float, duration: float) -> TrueSeizure | None:
    """Find the seizure of a window.

    Parameters
    ----------
    seizures
        Seizures of all recordings.
    recording
        Name of the recording of the window.
    onset, duration
        Onset of the window in seconds from the start of the recording, and its duration.

    Returns
    -------
    TrueSeizure or None
        The one with the longest overlap; None if none overlaps with the window.
    """
    longest, found = 0.0, None
    for seizure in seizures:
        start, end = seizure.overlap(onset, duration)
        if seizure.recording == recording and end - start > longest:
            longest, found = end - start, seizure
    return found


def region_of(seizure: TrueSeizure, described: Sequence[dict[str, Any]], onset: float) -> Region:
    """Determine the true region of a seizure in a window and its context.

    Parameters
    ----------
    seizure
        Seizure that overlaps with what the spectrograms describe.
    described
        Description of each stacked spectrogram, with `ch_names`, `freqs` (Hz; None for the time series) and `times`
        (s from the onset of the window), as in `SpectrogramDataset.described`.
    onset
        Onset of the window in seconds from the start of the recording.

    Returns
    -------
    Region
        Without any bin if the seizure is too short in the window.
    """
    times = np.array([part["times"] for part in described], dtype=float)
    seconds, seizure_end = onset + times, seizure.onset + seizure.duration
    frames = (seconds >= seizure.onset) & (seconds < seizure_end)
    array = np.repeat(np.arange(len(described)), [len(part["ch_names"]) for part in described])
    ends = np.array([min(seizure_end, onset + time_range(part)[1]) for part in described])
    arrivals = _arrivals(seizure, [name for part in described for name in part["ch_names"]])
    channels = arrivals < ends[array] - MARGIN
    on_track = _on_track(seizure, described, seconds) & frames[:, None]
    reached = channels[:, None] & (seconds[array] >= arrivals[:, None])
    return Region(
        channels=channels,
        frames=frames,
        second=np.floor(times + 1e-9).astype(int),
        freqs=None if described[0]["freqs"] is None else np.asarray(on_track.any(axis=2)),
        array=array,
        mask=reached[:, None, :] & on_track[array],
    )


def _seizure(path: Path, number: int, entry: Any) -> TrueSeizure:
    try:
        return TrueSeizure.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, ("seizures", number, *first["loc"])))
        raise InputError(
            f"{path}: {place}: {first['msg']}; expected recording, onset and duration (s), delays (s) of the "
            "electrodes, and track (s, Hz); if an earlier version wrote the data set, generate it again"
        ) from None


def _arrivals(seizure: TrueSeizure, ch_names: Sequence[str]) -> np.ndarray:
    """Second of the recording at which the seizure reaches an electrode of each channel; infinite if it does not.

    Names are compared in canonical form: the truth has T3 where a montage has T7.
    """
    delays = {electrode: delay for name, delay in seizure.delays.items() for electrode in _electrodes(name)}
    first = [min((delays.get(name, np.inf) for name in _electrodes(channel)), default=np.inf) for channel in ch_names]
    return seizure.onset + np.array(first)


def _electrodes(name: str) -> tuple[str, ...]:
    """Canonical names of the electrodes of a channel, without the reference."""
    channel = parse_channel(name)
    return () if channel is None else tuple(part for part in (channel.anode, channel.cathode) if part)


def _on_track(seizure: TrueSeizure, described: Sequence[dict[str, Any]], seconds: np.ndarray) -> np.ndarray:
    """Whether each frequency of each spectrogram is near the track, `(n_arrays, n_freqs, n_frames)`."""
    if described[0]["freqs"] is None:
        return np.ones((len(described), 1, seconds.shape[1]), dtype=bool)
    track = seizure.frequency(seconds)[:, None]
    freqs = np.array([part["freqs"] for part in described], dtype=float)
    return np.abs(freqs[:, :, None] - track) <= np.maximum(HERTZ, SHARE * track)
