"""The command `eegwf check`: output, exit code, settings and imports."""

import subprocess
import sys

import pytest

from eegwf.cli import main, parse_settings
from eegwf.errors import InputError


def test_command_prints_findings_and_exit_code(bids, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "my data.yaml"
    config.write_text(
        """
        dataset: {kind: bids, root: x}
        signals: {sfreq: 64, l_freq: null}
        spectrograms: {mel: {f_max: 32, n_freqs: 8}}
        windows: {length: 2, step: 2}
        matrix: {classes: [2class]}
        """
    )
    main(["check", "--configfile", str(config), "--config", f"data_root={bids}", "folds=3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"data set: {bids}: 6 recordings")
    assert lines[-1] == f"ready: snakemake --configfile '{config}' --config data_root={bids} folds=3"
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(config), "--config", f"data_root={bids}", "folds=9"])
    assert caught.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("problem: folds: 9 folds") and lines[-1] == "1 problem"
    config.write_text("widnows: {}\nfolds: x\nseed: -1\n")
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(config)])
    output = capsys.readouterr().out
    assert caught.value.code == 1 and output.splitlines()[-1] == "2 problems"
    assert "did you mean 'windows'?" in output and "seed" in output


def test_settings_are_parsed_as_by_snakemake():
    assert parse_settings(["aa=1", "bb=0.5", "cc=True", "dd=[x, y]", "ee=text", "ff={g: h}"]) == {
        "aa": 1,
        "bb": 0.5,
        "cc": True,
        "dd": ["x", "y"],
        "ee": "text",
        "ff": {"g": "h"},
    }
    for invalid in ("a", "1=2", "a.b=1"):
        with pytest.raises(InputError, match="expected KEY=VALUE"):
            parse_settings([invalid])


@pytest.mark.slow
def test_check_does_not_import_torch_or_optuna():
    """The check takes seconds, also on a login node that only submits jobs."""
    code = (
        "import sys; from eegwf.cli import main; sys.argv = ['eegwf', 'check']; main(); "
        "assert 'torch' not in sys.modules and 'optuna' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "ready: snakemake"
    for arguments in (["--help"], ["check", "--help"]):
        run = subprocess.run([sys.executable, "-m", "eegwf.cli", *arguments], capture_output=True, text=True)
        assert run.returncode == 0 and "Example: eegwf check --configfile" in run.stdout
