"""Exchange of the left and the right side of the head."""

import numpy as np
import pytest

from eegwf.data.signals.mirror import check_referential, mirror_channels
from eegwf.data.signals.montage import MONTAGES
from eegwf.errors import InputError

PAIRS = {"Fp1": "Fp2", "F3": "F4", "C3": "C4", "P3": "P4", "O1": "O2", "F7": "F8", "T7": "T8", "P7": "P8", "A1": "A2"}
OPPOSITE = PAIRS | {right: left for left, right in PAIRS.items()} | {name: name for name in ("Fz", "Cz", "Pz", "Avg")}


@pytest.mark.parametrize("montage", MONTAGES)
def test_derivations_are_those_of_exchanged_electrodes(montage):
    """Derivations of potentials whose sides were exchanged are the exchanged derivations."""
    rng = np.random.default_rng(0)
    potential = {name: rng.normal() for name in OPPOSITE} | {"Avg": 0.0}
    exchanged = {name: potential[other] for name, other in OPPOSITE.items()}

    def derived(values):
        return np.array([values[anode] - values[cathode] for anode, cathode in (n.split("-") for n in names)])

    names = MONTAGES[montage]
    source, sign = mirror_channels(names)
    np.testing.assert_array_equal(derived(potential)[source] * sign, derived(exchanged))


def test_electrodes_as_recorded():
    names = ["AF7", "TP10", "Cz", "TP9", "AF8", "FCz"]
    source, sign = mirror_channels(names)
    assert source.tolist() == [4, 3, 2, 1, 0, 5] and set(sign) == {1}


@pytest.mark.parametrize(
    ("names", "without"),
    [(["C3", "C4", "O1"], "O1"), (["C3", "C4", "E1", "E2"], "E1, E2"), (["F7-T7", "F8-T8", "Fp1-F7"], "Fp1-F7")],
)
def test_channels_without_mirror_image_are_named(names, without):
    with pytest.raises(InputError, match=rf"training\.mirror: no channel is the mirror image of {without}; choose"):
        mirror_channels(names)


def test_one_channel_is_no_reference():
    check_referential(["C3", "C4-Avg"])
    with pytest.raises(InputError, match=r"training\.rereference: one channel"):
        check_referential(["C3"])
