"""The device of a job."""
