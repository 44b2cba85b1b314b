"""Randomly changed annotations: each gives events within the recording, or an error of one line."""

import numpy as np
import pytest

from eegwf.config.data import Annotations, Bids
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording
from eegwf.data.events import EventRules
from eegwf.errors import InputError
from tests.helpers.mutations import mutated_text

TEXTS = {
    "tusz": "# version = csv_v1.0.0\nchannel,start_time,stop_time,label,confidence\nFP1-F7,0,9,bckg,1\n"
    "FP1-F7,9,20,fnsz,1\nF7-T3,0,40,bckg,1\n",
    "tse": "version = tse_v1.0.0\n\n0.0 9.5 bckg 1.0\n9.5 20.0 fnsz 1.0\n20.0 40.0 bckg 1.0\n",
    "chbmit": "File Name: a.edf\nNumber of Seizures in File: 2\nSeizure 1 Start Time: 5 seconds\nSeizure 1 End Time: 9 "
    "seconds\nSeizure Start Time: 20 seconds\nSeizure End Time: 30 seconds\n",
    "siena": "File name: a.edf\nRegistration start time: 23.59.50\nRegistration end time: 00.00.30\n"
    "Seizure start time: 23.59.55\nSeizure end time: 00.00.10\n",
    "hed": "onset\tduration\tHED\n5\t10\tEpisode/Epileptic-seizure/Focal-onset-epileptic-seizure, Left\n20\t5\tBlink\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_changed_annotations(tmp_path, name):
    settings = {"kind": "bids", "root": "x", "event_types": ["bckg", "sz"], "annotations": Annotations(format=name)}
    rules = EventRules.of(Bids(**settings))
    path = tmp_path / "a.txt"
    recording = Recording("a", "sub-01", tmp_path / "a.edf", path, name)
    rng, n_read = np.random.default_rng(len(name)), 0
    for _ in range(300):
        path.write_bytes(mutated_text(TEXTS[name], rng))
        try:
            events = recording_events(recording, 40.0, rules, [])
        except InputError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            str(error).encode()
            continue
        n_read += 1
        ends = [0.0, *(event.end for event in events)]
        assert all(end - 1e-6 <= event.onset for end, event in zip(ends, events, strict=False))
        assert ends[-1] <= 40.0 + 1e-6
    assert 10 < n_read < 290
