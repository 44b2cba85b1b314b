"""Devices and threads of a job."""
