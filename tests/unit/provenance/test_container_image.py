"""What an image is made of, and what stands in front of the jobs that run in one; no image is needed here."""

import hashlib
import os
import shlex
import shutil
import subprocess

import pytest

from eegwf.dag.flow_reading import read_flow
from eegwf.dag.job_shell import bind_paths, image_of, job_shell_prefix, shell_prefix
from eegwf.errors import InputError
from eegwf.provenance.container_image import bind, check_image, code_of, digest_of, labels_of


@pytest.fixture
def checkout(root, tmp_path):
    """A copy of what an image is made of."""
    for name in ("eegwf", "workflow", "envs"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_any_byte_of_library_scripts_or_lock_makes_another_image(root, checkout):
    assert labels_of(checkout) == labels_of(root)
    for name, label in {
        "eegwf/models/vit.py": "eegwf.code",
        "eegwf/report/style.css": "eegwf.code",
        "eegwf/report/scripts/sort_tables.js": "eegwf.code",
        "workflow/scripts/tune.py": "eegwf.code",
        "envs/eegwf.txt": "eegwf.lock",
    }.items():
        whole = (checkout / name).read_bytes()
        (checkout / name).write_bytes(whole + b"\n")
        changed = {key for key, value in labels_of(root).items() if labels_of(checkout)[key] != value}
        assert changed == {label}
        (checkout / name).write_bytes(whole)
    (checkout / "eegwf/models/vit.py").rename(checkout / "eegwf/models/vit2.py")
    assert code_of(checkout) != code_of(root)


def test_what_python_leaves_behind_is_no_part_of_it(root, checkout):
    (checkout / "eegwf/__pycache__").mkdir()
    (checkout / "eegwf/__pycache__/vit.cpython-311.pyc").write_bytes(b"compiled")
    assert code_of(checkout) == code_of(root)


def test_no_image_is_told_with_a_cure(tmp_path):
    with pytest.raises(InputError, match=r"absent.sif: no such image; build it with `make image`"):
        check_image(tmp_path / "absent.sif")


def test_the_digest_of_an_image_is_kept_until_it_changes(tmp_path):
    image = tmp_path / "eegwf.sif"
    image.write_bytes(b"one")
    assert digest_of(image) == hashlib.sha256(b"one").hexdigest()
    kept = tmp_path / "eegwf.sif.sha256"
    assert kept.read_text() == f"{hashlib.sha256(b'one').hexdigest()}  eegwf.sif\n"
    time = image.stat().st_mtime_ns
    kept.write_text("kept  eegwf.sif\n")
    os.utime(kept, ns=(time, time))
    assert digest_of(image) == "kept"
    for later in (1, -1):  # a published image that is put there may be older
        image.write_bytes(b"two")
        os.utime(image, ns=(time + later * 10**9,) * 2)
        assert digest_of(image) == hashlib.sha256(b"two").hexdigest()
        image.write_bytes(b"one")
        os.utime(image, ns=(time,) * 2)
        assert digest_of(image) == hashlib.sha256(b"one").hexdigest()


def test_folders_are_bound_besides_those_already_asked_for(monkeypatch, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    # Of two folders that the process which submitted has bound, one is not on this node.
    monkeypatch.setenv("APPTAINER_BIND", f"{tmp_path}:/data:ro,{tmp_path}/of_the_login_node")
    bind([tmp_path / "link", tmp_path / "link", tmp_path / "absent"])
    assert os.environ["APPTAINER_BIND"] == f"{tmp_path}:/data:ro,{tmp_path}/link,{tmp_path}/real"


def test_a_study_binds_its_data_and_results(root, tmp_path, monkeypatch):
    monkeypatch.setenv("APPTAINER_BIND", "")
    for name in ("bids", "results"):
        (tmp_path / name).mkdir()
    dataset = {"kind": "bids", "root": str(tmp_path / "bids")}
    study = read_flow(root / "config/config.yaml", [], {"dataset": dataset, "results": str(tmp_path / "results")}).study
    job_shell_prefix(study, containers=False)
    assert os.environ["APPTAINER_BIND"] == ""
    job_shell_prefix(study, containers=True)
    assert {str(tmp_path / "bids"), str(tmp_path / "results")} <= set(os.environ["APPTAINER_BIND"].split(","))


def test_a_study_binds_what_is_to_be_made_on_a_node_and_no_root(root, tmp_path, monkeypatch):
    monkeypatch.setenv("NODE", str(tmp_path))
    monkeypatch.delenv("HF_HOME", raising=False)
    for named, seen in (("$NODE/not/yet", tmp_path), ("$UNSET/scratch", None), ("/no/such/folder", None)):
        study = read_flow(root / "config/config.yaml", [], {"cluster": {"scratch": named}}).study
        found = [path for path in bind_paths(study) if path.is_absolute() and not path.is_relative_to(root)]
        assert found == ([seen] if seen else [])
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert tmp_path in bind_paths(read_flow(root / "config/config.yaml").study)


def test_the_image_is_named_relative_to_the_folder_if_it_can_be(root, tmp_path, monkeypatch):
    study = read_flow(root / "config/config.yaml").study
    monkeypatch.chdir(root)
    assert image_of(study) == "containers/eegwf.sif"
    monkeypatch.chdir(tmp_path)
    assert image_of(study) == str(root / "containers/eegwf.sif")


def run(prefix, command, **environment):
    """What a job's command prints; Snakemake formats the prefix once."""
    call = ["bash", "-c", prefix.format() + command]
    return subprocess.run(call, env=os.environ | environment, capture_output=True, text=True, check=True).stdout


def test_a_job_in_an_image_has_caches_of_its_own_which_go_with_it(tmp_path):
    prefix = shell_prefix("/p y/python", "/b", containers=True, EEGWF_COMMIT="ab'c", EEGWF_SCRATCH=None)
    told = run(
        prefix, 'echo "$MPLCONFIGDIR $HF_HOME $EEGWF_COMMIT"; touch "$caches/file"', TMPDIR=str(tmp_path), HOME="/h"
    )
    config, weights, commit = told.split()
    assert config.startswith(f"{tmp_path}/") and weights == "/h/.cache/huggingface" and commit == "ab'c"
    assert list(tmp_path.iterdir()) == []
    # A scheduler's folder that the image does not see.
    assert run(prefix, 'echo "$TMPDIR"', TMPDIR="/no/such/folder", HOME="/h") == "/tmp\n"
    assert f"{shlex.quote('/p y/python')} -I /b/workflow/scripts/" in prefix


def test_a_job_without_an_image_keeps_its_environment(tmp_path):
    prefix = shell_prefix("python", "/b", EEGWF_SCRATCH="$TMPDIR")
    assert run(prefix, 'echo "$EEGWF_SCRATCH ${MPLCONFIGDIR:-none}"', MPLCONFIGDIR="") == "$TMPDIR none\n"
    assert " -I " not in prefix
