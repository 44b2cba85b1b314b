"""The command `eegwf predict`."""

import argparse
import sys
from pathlib import Path

from eegwf.errors import InputError

SUMMARY = "predict recordings with the models of a study"
DESCRIPTION = """\
Predict recordings with the models of a finished study. They are read, filtered, cut and transformed as the study did.
For each, detected seizures in the form of SzCORE (NAME_events.tsv), the probabilities of all windows
(NAME_probabilities.tsv), a figure (NAME_timeline.svg) and the models that predicted (NAME_prediction.json) are written;
input_quality.tsv describes all of them. Recordings that are already predicted are skipped. With --events, only the
detected seizures of one recording are written.

The final models, trained on all patients, predict (`snakemake RUN/final/models.json` trains them). A patient of the
study is predicted by the models of the fold that was trained without this patient, found by the id in the name of the
recording (sub-01_...) or by its samples. A bundle refuses recordings of its study. The exit code is 1 if a recording
can't be predicted.

Example: eegwf predict new_patient.edf --run results/vit_mel_3class --output predictions
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "recordings", nargs="+", type=Path, metavar="RECORDING", help="recordings, or roots of BIDS data sets"
    )
    parser.add_argument(
        "--run",
        type=Path,
        required=True,
        metavar="RUN_OR_BUNDLE",
        help="folder of a combination, or zip file of models",
    )
    output = parser.add_mutually_exclusive_group(required=True)
    output.add_argument("--output", type=Path, metavar="FOLDER", help="folder of the predictions")
    output.add_argument(
        "--events", type=Path, metavar="FILE", help="write the detected events of one recording to this file, only them"
    )
    parser.add_argument("--patient", default="", metavar="ID", help="patient of all recordings, such as sub-01")
    parser.add_argument(
        "--configfile",
        type=Path,
        metavar="FILE",
        help="file whose section `channels` names the channels of the recordings",
    )
    parser.add_argument("--workers", type=int, default=1, help="number of recordings predicted at once (default: 1)")
    parser.add_argument("--device", choices=["cpu", "cuda", "auto"], default="cpu", help="device (default: cpu)")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; it ends with exit code 1 if a recording can't be predicted."""
    from eegwf.config.load import read_channels
    from eegwf.prediction.inputs import find_inputs
    from eegwf.progress import log_to_stderr

    log_to_stderr()
    if arguments.workers < 1:
        raise InputError(f"--workers: {arguments.workers}, expected 1 or more")
    recordings = find_inputs(arguments.recordings)
    channels = read_channels(arguments.configfile) if arguments.configfile else None
    if arguments.events:
        from eegwf.prediction.events_file import write_events

        if len(recordings) != 1:
            raise InputError(f"--events: one file for {len(recordings)} recordings; give one recording, or --output")
        write_events(arguments.run, recordings[0], arguments.events, arguments.patient, arguments.device, channels)
        return
    from eegwf.prediction.predict import predict_from

    failed = predict_from(
        arguments.run, recordings, arguments.output, arguments.patient, arguments.device, channels, arguments.workers
    )
    print(f"{arguments.output}: {len(recordings) - len(failed)} of {len(recordings)} recording(s) predicted")
    if failed:
        sys.exit(1)
