"""A published result is run again from its run.json and compared; a bundle of it is whole, and the same each time."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile

import pytest

RUN = "results/vit_mel_3class"


@pytest.fixture(scope="module")
def published(finished, tmp_path_factory):
    """A finished study in a folder of its own, and the repetition of its combination beside it."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(finished / RUN, folder / RUN)
    (folder / "results/data").mkdir()
    for table in (finished / "results/data").glob("*.tsv"):
        shutil.copy(table, folder / "results/data")
    return folder


def eegwf(folder, *arguments):
    command = [sys.executable, "-m", "eegwf.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def again(folder, *arguments):
    return eegwf(folder, "reproduce", RUN, "--output-dir", "again", "--force", *arguments, "--", "--cores", "2")


def test_a_result_is_reproduced_to_the_byte_and_a_doctored_one_is_found_out(published):
    done = again(published)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("reproduced: identical\n") and "balanced_accuracy" in done.stdout
    metrics = published / RUN / "metrics.json"
    told = json.loads(metrics.read_text())
    value = told["members"]["ensemble"]["balanced_accuracy"]["value"]
    told["members"]["ensemble"]["balanced_accuracy"]["value"] = value + 0.01
    whole = metrics.read_bytes()
    try:
        metrics.write_text(json.dumps(told))
        done = again(published)
    finally:
        metrics.write_bytes(whole)
    assert done.returncode == 1 and "  differs: metrics.json\n" in done.stdout
    assert f"{value + 0.01:>9.4f} {value:>9.4f}      -0.01\n" in done.stdout
    assert done.stdout.endswith("not identical\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [({"commit": "0" * 40}, "the result is of commit 000"), ({"versions": {"numpy": "1.0"}}, "numpy was 1.0 and is")],
)
def test_another_commit_or_version_is_refused_unless_told_otherwise(published, tmp_path, change, told):
    shutil.copytree(published / RUN, tmp_path / RUN)
    run = tmp_path / RUN / "run.json"
    run.write_text(json.dumps(json.loads(run.read_text()) | change))
    done = eegwf(tmp_path, "reproduce", RUN, "--output-dir", "again")
    assert done.returncode == 1 and told in done.stderr and "--force" in done.stderr
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["published.yaml"]


def test_what_is_no_run_is_named(tmp_path, published):
    assert "no run.json" in eegwf(tmp_path, "reproduce", "results/x", "--output-dir", "again").stderr
    assert "contains the published result" in eegwf(published, "reproduce", RUN, "--output-dir", "results").stderr
    assert "no run.json" in eegwf(tmp_path, "bundle", "results/x", "--output", "x.zip").stderr


def test_a_bundle_is_whole_and_the_same_each_time(published):
    for name in ("one.zip", "two.zip"):
        done = eegwf(published, "bundle", RUN, "--output", name, "--force")
        assert done.returncode == 0, done.stderr
    assert (published / "one.zip").read_bytes() == (published / "two.zip").read_bytes()
    with zipfile.ZipFile(published / "one.zip") as packed:
        names = set(packed.namelist())
        sums = dict(reversed(line.split("  ")) for line in packed.read("SHA256SUMS").decode().splitlines())
        assert set(sums) == names - {"SHA256SUMS"}
        assert all(hashlib.sha256(packed.read(name)).hexdigest() == digest for name, digest in sums.items())
        commit = packed.read("code/.git_archival.txt").decode().strip()
    assert len(commit) == 40 and commit.isalnum()
    assert {f"{RUN}/run.json", f"{RUN}/report.html", "results/data/folds.tsv", "code/envs/eegwf.txt"} <= names
    assert not [name for name in names if name.endswith((".safetensors", ".npy")) and "/explain/" not in name]
