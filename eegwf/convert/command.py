"""The command `eegwf convert`."""

import argparse
import sys
from pathlib import Path

from eegwf.config.path_text import expand_path

SUMMARY = "convert a corpus as it is downloaded to BIDS with SzCORE events"
CORPUS_NAMES = ("chbmit", "siena", "tusz", "seizeit2", "helsinki")
DESCRIPTION = """\
Convert a corpus as it is downloaded to BIDS with SzCORE events: CHB-MIT, Siena, the TUH EEG Seizure Corpus, SeizeIT2,
and the Helsinki neonatal recordings. The recordings are copied or linked unchanged, and their annotations are written
as _events.tsv; SRC is only read. An interrupted conversion continues when the command is repeated. The numbers of
patients, recordings, hours and seizures are printed beside the published ones, and recordings that can't be converted
with the reason; the exit code is 1 if there are any. docs/convert.md describes each corpus.

Example: eegwf convert chbmit /data/physionet/chbmit/1.0.0 /data/chbmit_bids --link
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("corpus", choices=CORPUS_NAMES, help="the corpus")
    parser.add_argument("source", type=Path, metavar="SRC", help="folder of the corpus as it is downloaded")
    parser.add_argument("destination", type=Path, metavar="DST", help="folder of the result, new or to be continued")
    parser.add_argument(
        "--link", action="store_true", help="make symbolic links, relative to their folder, instead of copies"
    )
    parser.add_argument(
        "--binary", action="store_true", help="tusz: read the .csv_bi, in which all seizures have the type sz"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the command; it ends with exit code 1 if a recording was not converted."""
    from eegwf.convert.conversion import convert
    from eegwf.convert.corpora import corpus_in
    from eegwf.errors import InputError

    if arguments.binary and arguments.corpus != "tusz":
        raise InputError(f"--binary is for tusz, not for {arguments.corpus}; leave it out")
    source, destination = (
        Path(expand_path(str(path), name)) for path, name in ((arguments.source, "SRC"), (arguments.destination, "DST"))
    )
    corpus = corpus_in(arguments.corpus, source, arguments.binary)
    outcomes, lines = convert(corpus, source, destination, arguments.link)
    print("\n".join(lines))
    if any(outcome.fault for outcome in outcomes):
        sys.exit(1)
