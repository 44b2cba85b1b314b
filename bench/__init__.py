"""Benchmarks: `make bench` runs them and writes docs/benchmarks.md and docs/benchmarks.json."""
