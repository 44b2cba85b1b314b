"""The workflow on a real SLURM, in an image: requested GPUs, and byte-identical results after jobs or nodes fail."""

import re
import subprocess
from pathlib import Path

import yaml

from eegwf.provenance.container_image import digest_of
from eegwf.provenance.git import commit
from eegwf.storage.files import read_json
from tests.helpers.running import ROOT, TINY, contents

REPORT = "results/vit_mel_3class/report.html"
# The GPUs of the node are simulated: jobs that are assigned one compute on the CPU.
TRAINED = ("tune", "retrain", "explain")
ON_GPUS = ("--set-resources", *(f"{rule}:gpu=1" for rule in TRAINED))


def jobs_of(cluster) -> list[dict[str, str]]:
    """Properties of every job, as reported by SLURM."""
    blocks = cluster.call("scontrol", "show", "job", "--oneliner").splitlines()
    return [dict(re.findall(r"(\w+)=(\S*)", block)) for block in blocks if "JobId=" in block]


def rule_of(job: dict[str, str]) -> str:
    """The rule whose log SLURM writes."""
    return re.search(r"/rule_(\w+)/", job["StdOut"])[1]


def training(cluster, folder: Path, rule: str) -> list[str]:
    """Numbers of the running jobs of a rule, once one of them has logged an epoch."""
    running = [job["JobId"] for job in jobs_of(cluster) if job["JobState"] == "RUNNING" and rule_of(job) == rule]
    told = any(", epoch " in log.read_text() for log in (folder / "results/logs" / rule).glob("*.log"))
    return running if told else []


def write(path: Path, **settings) -> Path:
    path.write_text(yaml.safe_dump({"device": "cpu", **settings}))
    return path


def test_study_on_slurm_in_an_image_equals_a_local_run_byte_for_byte(
    cluster, image, submitted, undisturbed, cpu, tmp_path
):
    done = subprocess.run(
        submitted(REPORT, *ON_GPUS, "--slurm-array-jobs=tune,retrain", configs=cpu),
        cwd=tmp_path,
        env=cluster.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path / "results") == contents(undisturbed)
    about = read_json(tmp_path / "results/vit_mel_3class/run.json")
    assert about["image"] == f"sha256:{digest_of(image)}" and about["commit"] == commit(ROOT)
    assert read_json(undisturbed / "vit_mel_3class/run.json")["image"] is None
    jobs = {rule_of(job): job for job in jobs_of(cluster)}
    assert set(jobs) == {"synthesize", "windows", "folds", "spectrogram", *TRAINED, "select_best", "evaluate", "report"}
    for rule, job in jobs.items():
        assert any("gpu" in value for key, value in job.items() if key.startswith("TresPer")) == (rule in TRAINED), job
    assert "ArrayTaskId" in jobs["tune"]  # of all folds at once; what follows is ready one by one
    assert jobs["tune"]["TimeLimit"] == "08:00:00" and "mem=6000M" in jobs["explain"]["TRES"]


def test_cancelled_jobs_time_limits_and_node_failures_do_not_change_results(cluster, submitted, run_here, tmp_path):
    # Tuning takes half a minute or more, and the time limit of a job is one minute. SLURM sends the signal 20 s before
    # the limit, or up to a minute earlier, because it checks in intervals; therefore there are many attempts.
    config = write(
        tmp_path / "long.yaml",
        training={"epochs": 200, "patience": 200},
        tuning={"pruner": "none"},
        cluster={"max_minutes": 1},
    )
    (tmp_path / "local").mkdir()
    run_here(tmp_path / "local", REPORT, configs=(TINY, config))
    command = submitted(
        REPORT, *ON_GPUS, "--retries=20", "--default-resources=slurm_extra='--signal=USR1@20'", configs=(TINY, config)
    )
    with open(tmp_path / "snakemake.log", "w") as log:
        running = subprocess.Popen(command, cwd=tmp_path, env=cluster.environment, stdout=log, stderr=log)
    try:
        cluster.wait_for(lambda: training(cluster, tmp_path, "tune"), "trial that trains", 300)
        cluster.call("scancel", training(cluster, tmp_path, "tune")[0])
        cluster.wait_for(lambda: training(cluster, tmp_path, "retrain"), "retraining", 600)
        cluster.kill_node()
        cluster.start_node()
        assert running.wait(900) == 0, (tmp_path / "snakemake.log").read_text()
    finally:
        running.kill()
    assert contents(tmp_path / "results") == contents(tmp_path / "local/results")
    ended = [job for job in jobs_of(cluster) if job["JobState"] != "COMPLETED"]
    assert "CANCELLED" in {job["JobState"] for job in ended}
    # Snakemake keeps SLURM's logs of those that failed.
    logs = [log.read_text() for log in (tmp_path / ".snakemake/slurm_logs").rglob("*.log")]
    assert any("stopped by SIGUSR1; the last checkpoint is kept" in log for log in logs)


def test_job_reports_the_gpus_that_torch_sees(cluster, submitted, tmp_path):
    # The simulated GPUs are assigned to jobs in the same way as real ones, here with --gres.
    config = write(tmp_path / "gres.yaml", device="auto", cluster={"gres": "gpu:1"}, spectrograms={"device": "cpu"})
    done = subprocess.run(
        submitted("results/vit_mel_3class/fold1/tune/best.json", "--retries=0", configs=(TINY, config)),
        cwd=tmp_path,
        env=cluster.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    (log,) = (tmp_path / "results/logs/tune").glob("*.log")
    assert "a GPU was assigned to this job, but torch sees no GPU: torch " in log.read_text()
    assert re.search(r"CUDA_VISIBLE_DEVICES is '\d'", log.read_text())
    mine = [job for job in jobs_of(cluster) if job["WorkDir"] == str(tmp_path)]
    asked = {rule_of(job): job.get("TresPerNode", "") for job in mine}
    assert asked.pop("tune") == "gres:gpu:1" and set(asked.values()) == {""}
