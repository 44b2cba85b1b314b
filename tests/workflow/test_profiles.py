"""The profiles for a cluster and for a workstation plan what they should; nothing is submitted."""

import pytest

from tests.helpers.running import ROOT


@pytest.fixture
def planned(snakemake, tmp_path):
    def plan(profile, *arguments):
        (tmp_path / profile).symlink_to(ROOT / profile)
        # An image needs Apptainer, which is not everywhere.
        plan = ("--profile", profile, "--software-deployment-method", "env-modules")
        arguments = (*plan, *arguments, "--cores", "64", "--dry-run", "--printshellcmds")
        return snakemake(tmp_path, *arguments, "results/vit_mel_3class/report.html").stdout

    return plan


@pytest.mark.parametrize(("profile", "threads"), [("slurm", 8), ("local", 64)])
def test_jobs_use_the_cores_that_they_are_given(planned, profile, threads):
    plan = planned(profile)
    assert f" --workers {threads} " in plan and f" --threads {threads} " in plan
    assert "<TBD>" not in plan


def test_what_a_site_sets_wins(planned):
    assert " --workers 3 " in planned("slurm", "--set-threads", "windows=3")
