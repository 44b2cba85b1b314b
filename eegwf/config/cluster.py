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
