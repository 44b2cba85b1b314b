"""`eegwf check` names the channels that an augmentation of signals does not permit."""

import pytest

from eegwf.checks.study import check_study
from tests.helpers.bids_folder import ELECTRODES, EVENTS, write_recording

AUGMENTED = {"signals": {"montage": "as recorded"}, "matrix": {"models": ["eegnet"], "spectrograms": ["raw"]}}


@pytest.mark.parametrize(("removed", "expected"), [([], 0), (["O1"], 1)])
def test_channels_without_mirror_image_are_named(flow_of, bids, removed, expected):
    for patient, events in EVENTS.items():
        write_recording(bids, patient, events, names=[name for name in ELECTRODES if name not in removed])
    problems = check_study(flow_of(**AUGMENTED, training={"mirror": 0.5})).problems
    assert len(problems) == expected
    assert all(line.startswith("training.mirror: no channel is the mirror image of O2; ") for line in problems)
    assert not check_study(flow_of(**AUGMENTED)).problems
