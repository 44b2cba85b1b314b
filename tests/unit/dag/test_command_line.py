"""Options that Snakemake would read in another way than they are meant."""

import subprocess
import sys

import pytest

from eegwf import cli
from eegwf.dag.command_line import options_of, refuse_repeated_options
from eegwf.dag.flow_reading import open_flow, read_flow
from eegwf.dag.startup import start
from eegwf.errors import InputError

REPEATED = [
    ("--configfile a --configfile b", "--configfile is given twice", "--configfile a b"),
    ("--configfile a b -n --configfiles c", "--configfile is given twice", "--configfile a b c"),
    ("--configfile=a --cores 2 --configf b x", "--configfile is given twice", "--configfile a b x"),
    ("--config aa=1 --config bb=2 cc=3", "--config is given twice", "--config aa=1 bb=2 cc=3"),
    ("-C aa=1 --cores 2 --config=bb=2", "--config is given twice", "--config aa=1 bb=2"),
    ("-Caa=1 -C bb=2 --config cc=3 -n", "--config is given 3 times", "--config aa=1 bb=2 cc=3"),
]


@pytest.mark.parametrize(("words", "fault", "remedy"), REPEATED)
def test_repeated_options_are_refused(words, fault, remedy):
    with pytest.raises(InputError) as caught:
        refuse_repeated_options(words.split())
    assert str(caught.value) == f"{fault}, of which Snakemake would use the last; write {remedy}"


@pytest.mark.parametrize(
    "words", ["", "-n --configfile a b --config aa=1 bb=2", "--cores 2 -- --config", "-c 2 --configfile a -j1 -- -C -C"]
)
def test_options_that_are_given_once_pass(words):
    refuse_repeated_options(words.split())


def test_values_of_the_options():
    words = "-n --configfile a b --cores 4 c --config=aa=1 bb=2 -- --config cc=3"
    found = options_of(words.split())
    assert found == {"--configfile": [["a", "b"]], "--config": [["aa=1", "bb=2"]]}


@pytest.mark.slow
def test_snakemake_keeps_the_last_of_repeated_options():
    """The reason for the refusal."""
    words = ["--configfile", "a", "--configfile", "b", "--config", "aa=1", "-C", "bb=2"]
    code = "import sys, snakemake.cli as c; a = c.get_argument_parser().parse_args(sys.argv[1:]); "
    code += "print(*a.configfile, *a.config)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.stdout == "b bb=2\n", done.stderr


@pytest.mark.parametrize("option", ["--configfile", "--config"])
def test_workflow_and_commands_refuse_the_same(root, tmp_path, option, capsys):
    files = []
    for name, text in (("a.yaml", "folds: 4\n"), ("b.yaml", "seed: 2\n")):
        (tmp_path / name).write_text(text)
        files.append(str(tmp_path / name))
    values = files if option == "--configfile" else ["folds=4", "seed=2"]
    words = [option, values[0], option, values[1]]
    with pytest.raises(SystemExit) as caught:
        open_flow(root, [], {}, [], words)
    said = str(caught.value)
    assert said.startswith(f"error: {option} is given twice, of which Snakemake would use the last; write {option} ")
    for command in (["check"], ["plan"]):
        with pytest.raises(SystemExit) as caught:
            cli.main([*command, *words])
        assert str(caught.value) == said
    with pytest.raises(SystemExit) as caught:
        cli.main(["check", option, *values, "--hel"])  # once: read as usual
    assert caught.value.code == 0


@pytest.mark.parametrize("words", [["--config", "folds=4"], ["--cores", "2", "-C", "folds=4"], ["--configfile", "a"]])
def test_reproduce_takes_no_configuration_for_snakemake(tmp_path, words):
    """It would replace the results folder of the repetition by that of the published run."""
    with pytest.raises(SystemExit, match="after `--`: the configuration is that of run, with the settings of --config"):
        cli.main(["reproduce", "run", "--output-dir", str(tmp_path), "--", *words])


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("cluster={scratch: $TMPDIR}", "a variable of the compute node would be replaced on this machine"),
        ("cluster={image: x.sif, scratch: '${SLURM_TMPDIR}/x'}", "a variable of the compute node"),
        ("data_root=/data/a$$b", "$$, backticks and backslashes would be changed when a job is submitted"),
        ("results=`pwd`/x", "$$, backticks and backslashes"),
        ("data_root=a\\b", "$$, backticks and backslashes"),
    ],
)
def test_settings_that_the_submission_of_a_job_would_change_are_refused(root, tmp_path, monkeypatch, setting, fault):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--profile", "slurm", "--config", "seed=2", setting, "-n"])
    flow = read_flow(root / "config/config.yaml", [])
    with pytest.raises(SystemExit) as caught:
        start(flow, [], local=False)
    assert str(caught.value).startswith("error: --config ") and fault in str(caught.value)
    assert "a file for --configfile" in str(caught.value) and not (tmp_path / "results").exists()


def test_settings_of_jobs_on_this_machine_or_in_a_file_may_have_variables(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("cluster: {scratch: $TMPDIR}\n")
    flow = read_flow(root / "config/config.yaml", [tmp_path / "mine.yaml"])
    for local, words in ((True, ["--config", "cluster={scratch: $TMPDIR}"]), (False, ["--configfile", "mine.yaml"])):
        monkeypatch.setattr(sys, "argv", ["snakemake", *words])
        monkeypatch.setattr("eegwf.dag.startup.lock_results", lambda paths: None)
        start(flow, [], local)


@pytest.mark.slow
def test_dry_run_uses_the_expanded_results_folder(root, tmp_path):
    """`results: ~/x` and `$SCRATCH/x`, through Snakemake."""
    small = "{kind: synthetic, n_focal: 3, n_generalized: 3, n_both: 0, n_none: 1, minutes: 1.0, seizures: 2}"
    environment = {"HOME": f"{tmp_path}/home", "SCRATCH": f"{tmp_path}/scratch", "PATH": "/usr/bin:/bin"}
    for text, folder in (("~/x", f"{tmp_path}/home/x"), ("${SCRATCH}/x", f"{tmp_path}/scratch/x"), ("./x", "x")):
        (tmp_path / "study.yaml").write_text(
            f"results: {text}\ndataset: {small}\nwindows: {{length: 4.0, step: 4.0}}\nfolds: 3\n"
        )
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(root / "Snakefile"),
            "--directory",
            str(tmp_path),
        ]
        command += ["--dry-run", "--cores", "1", "--configfile", str(tmp_path / "study.yaml"), "--"]
        done = subprocess.run([*command, f"{folder}/data/folds.tsv"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and f"{folder}/data/folds.tsv" in done.stdout, done.stdout + done.stderr
        if text != "./x":
            done = subprocess.run([*command, f"{text}/data/folds.tsv"], env=environment, capture_output=True, text=True)
            assert done.returncode and f"literally; write {folder}/data/folds.tsv" in done.stderr, done.stderr
