"""Configuration of what jobs may ask a cluster for."""

from pydantic import Field

from eegwf.config.section import Section


class Cluster(Section):
    """Limits of what jobs and runs may ask for; no result depends on them."""

    max_mem_mb: int = Field(64_000, ge=1000, description="Most memory (MB) that a job asks for, whatever the attempt.")
    max_minutes: int = Field(
        24 * 60, ge=1, description="Longest time (minutes) that a job asks for; a training that is cut off goes on."
    )
    max_gpu_hours: float | None = Field(
        None, gt=0, description="Refuse to start what is predicted to take more GPU-hours; null: start anything."
    )
    gres: str | None = Field(
        None,
        pattern=r"^gpu(:[A-Za-z0-9_.]+)?:1$",
        description="Where SLURM wants `--gres`: how a job asks for its GPU, such as `gpu:a100:1`; null: `--gpus`.",
    )
    image: str | None = Field(
        None,
        description="Image that jobs run in where containers are on; null: `containers/eegwf.sif` of the checkout.",
    )
    scratch: str | None = Field(
        None,
        description="Folder on a node's own disk, such as `$TMPDIR`, to which trainings and explanations copy the "
        "arrays that they read; null: they are read where they are.",
    )
