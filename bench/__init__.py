"""Benchmarks: `make bench` writes docs/benchmarks.md and docs/benchmarks.json; `make bench-gpu` measures a GPU."""
