"""Descriptions of the commands of `eegwf`, as shown by `--help`."""

CHECK = """\
Check a configuration and its data before a run: report the data and settings that the study would use, settings that
may not work as intended (warnings), and errors with which it would fail (problems). docs/troubleshooting.md lists the
messages with their solutions. Headers and events are read, and the samples of recordings if they are at most 64 MB or
with --samples (of fold arrays, all files are read); no files are written. The exit code is 1 if there are problems.

The configuration is read as by Snakemake: config/config.yaml of the checkout, then the files of --configfile, then the
settings of --config; later values replace earlier ones.

Example: eegwf check --configfile config/datasets/siena.yaml --config data_root=/data/siena
"""

PLAN = """\
Estimate the cost of a run: number of jobs, requested and predicted hours of GPUs and CPU cores, the longest chain of
dependent jobs, disk space, and the jobs that repeat finished work. The jobs are those of `snakemake --dry-run`. Neither
SLURM nor Apptainer is needed. With --hours, the data set need not be there.

Example: eegwf plan --configfile config/full.yaml config/datasets/tusz.yaml --config data_root=/data/tusz --hours 1476
"""

REPRODUCE = """\
Run a published result again and compare: the configuration in its run.json is run in another results folder, and the
files are compared byte by byte. The exit code is 1 unless all files are identical. Options after `--` are passed to
Snakemake; the default is --cores all.

Example: eegwf reproduce results/vit_mel_3class --output-dir again -- --cores all
"""

BUNDLE = """\
Pack a finished combination into one zip file: its result files, its configuration, the code of its commit, the
lock file of its environment, checksums, and the commands that repeat the run. Recordings and weights are not included.

With --weights, pack the final models instead: weights, preprocessing, calibration, operating point, a model card and
the lock file, with which `eegwf predict` predicts recordings without the data of the study. Such a bundle contains no
identifiers of patients.

Example: eegwf bundle results/vit_mel_3class --output vit_mel_3class.zip
"""

SPREAD = """\
Compare results folders of one configuration with other folds: the spread of the scores of rank 1 and of the primary
member between them, beside that between random seeds (evaluation.seeds) and the confidence interval over patients.
Folders with the same folds are named; this needs only their data/folds.tsv.

Example: eegwf spread results_seed1 results_seed2 results_seed3 --output spread.tsv
"""

PREDICT = """\
Predict recordings with the models of a finished study. They are read, filtered, cut and transformed as the study did.
For each, detected seizures in the form of SzCORE (NAME_events.tsv), the probabilities of all windows
(NAME_probabilities.tsv), a figure (NAME_timeline.svg) and the models that predicted (NAME_prediction.json) are written;
input_quality.tsv describes all of them. Recordings that are already predicted are skipped.

The final models, trained on all patients, predict (`snakemake RUN/final/models.json` trains them). A patient of the
study is predicted by the models of the fold that was trained without this patient, found by the id in the name of the
recording (sub-01_...) or by its samples. A bundle refuses recordings of its study. The exit code is 1 if a recording
can't be predicted.

Example: eegwf predict new_patient.edf --run results/vit_mel_3class --output predictions
"""
