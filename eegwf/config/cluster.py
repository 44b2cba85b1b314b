"""Configuration of what jobs request from a cluster."""

from pydantic import Field

from eegwf.config.section import Section


class Cluster(Section):
    """Limits of jobs and runs on a cluster; results do not depend on them."""

    max_mem_mb: int = Field(64_000, ge=1000, description="Maximum memory in MB that a job requests, at any attempt.")
    max_minutes: int = Field(
        24 * 60,
        ge=1,
        description="Maximum time in minutes that a job requests; a training that is cut off continues later.",
    )
    max_gpu_hours: float | None = Field(
        None, gt=0, description="Refuse to start a run that is predicted to take more GPU-hours; null: no limit."
    )
    gres: str | None = Field(
        None,
        pattern=r"^(gpu(:[A-Za-z0-9_.]+)?:1|(shard|mps)(:[A-Za-z0-9_.]+)?:[1-9][0-9]*)$",
        description="Generic resource that a job requests for its GPU where SLURM requires `--gres`, such as "
        "`gpu:a100:1`, or for a part of a GPU, such as `shard:2`; null: `--gpus`.",
    )
    image: str | None = Field(
        None, description="Container image of the jobs, if containers are used; null: `containers/eegwf.sif`."
    )
    scratch: str | None = Field(
        None,
        description="Folder on a disk of the compute node, such as `$TMPDIR`, to which training and attribution jobs "
        "copy the arrays that they read; null: arrays are read in place.",
    )
