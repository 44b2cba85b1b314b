# make report   the default study: results/vit_mel_3class/report.html
# make report CONFIG=config/datasets/helsinki.yaml DATA=path/to/helsinki    all reports of another configuration
# make report CONFIG="config/full.yaml my.yaml" DATA="path with blanks"     a dollar sign in DATA is written $$
# make test     linters and all tests except those of the cluster: make test-hpc
# make image    containers/eegwf.sif, the image of jobs with --sdm apptainer; needs Apptainer
# make szcore-image RUN=results/vit_mel_2class    containers/szcore.sif, its final models for SzCORE: docs/szcore.md
# make reproduce RUN=results/vit_mel_3class    reproduce a published result: docs/reproduce.md
# make bench    benchmarks: docs/benchmarks.md and .json
# make test-fast | lint | bench-gpu | docs | lock | clean

PYTHON ?= python3
VENV ?= .venv
CONFIG ?=
DATA ?=
# Number of GPUs, which limits the GPU jobs that run at a time; Snakemake does not detect it.
GPUS ?= $(shell nvidia-smi --list-gpus 2>/dev/null | grep -c GPU | grep -v '^0$$')
TARGET ?= $(if $(CONFIG),,results/vit_mel_3class/report.html)
BIN := $(VENV)/bin
# Options of `apptainer build`, such as --build-arg TORCH_INDEX=... for a torch that is built for an older CUDA.
IMAGE_OPTIONS ?=
SZCORE_IMAGE ?= containers/szcore.sif
# A word of a shell command, whatever characters it contains. `value`: a dollar sign in it is left to eegwf.
quoted = '$(subst ','\'',$(value $(1)))'
# One file, whose name may contain blanks, or several files.
CONFIGS := $(if $(CONFIG),$(if $(shell test -f $(call quoted,CONFIG) && echo 1),$(call quoted,CONFIG),$(CONFIG)))
OPTIONS := $(if $(CONFIGS),--configfile $(CONFIGS)) $(if $(value DATA),--config data_root=$(call quoted,DATA))

.PHONY: report test coverage test-fast test-hpc image szcore-image reproduce bench bench-gpu lint docs lock clean

report: $(VENV)/.installed
	$(BIN)/python -m eegwf.dag.unlock $(OPTIONS)
	$(BIN)/snakemake --cores all $(TARGET) $(if $(GPUS),--resources gpu=$(GPUS)) $(OPTIONS)

# Without the tests that take longer than a few seconds, run the workflow, kill jobs, or need a browser or a GPU.
test-fast: $(VENV)/.tested
	$(BIN)/python -m pytest -n 2 -m "not slow and not kill and not browser and not slurm and not gpu"

test: $(VENV)/.tested lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/hpc $(PYTEST_OPTIONS)

# The same tests, about 1.6 times slower.
coverage: PYTEST_OPTIONS = --cov --cov-report term
coverage: test

# Starts a real SLURM. As root on Debian or Ubuntu, the script installs what it needs; otherwise the tests are skipped.
test-hpc: $(VENV)/.tested
	tests/hpc/install.sh
	$(BIN)/python -m pytest tests/hpc

image: $(VENV)/.installed
	apptainer build --force $(IMAGE_OPTIONS) containers/eegwf.sif containers/eegwf.def
	$(BIN)/python -m eegwf.provenance.container_image digest containers/eegwf.sif
	@echo "containers/eegwf.sif is built; snakemake --sdm apptainer ... and --profile slurm use it"

# Adds the final models to the image of `make image`. They are unpacked, so that the image writes no temporary files.
szcore-image: $(VENV)/.installed
	$(BIN)/python -m eegwf.provenance.container_image check containers/eegwf.sif
	rm -rf build/models
	$(BIN)/eegwf bundle $(call quoted,RUN) --weights --output build/models.zip
	$(BIN)/python -m zipfile --extract build/models.zip build/models
	chmod -R a+rX build/models
	apptainer build --force $(IMAGE_OPTIONS) $(call quoted,SZCORE_IMAGE) containers/szcore.def
	rm -r build/models build/models.zip
	@echo "$(SZCORE_IMAGE) is built; docs/szcore.md shows how it is run"

reproduce: $(VENV)/.installed
	$(BIN)/eegwf reproduce $(call quoted,RUN) --output-dir again -- --cores all

bench: $(VENV)/.benched
	$(BIN)/python -m bench

# Checks and measures the GPU code, writes gpu/; without a GPU: make bench-gpu GPU_OPTIONS="--cpu --quick"
bench-gpu: $(VENV)/.installed
	$(BIN)/python -m bench.gpu --output gpu $(GPU_OPTIONS)

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/snakemake --lint

docs: $(VENV)/.installed
	$(BIN)/python -m eegwf.config.reference

$(VENV)/.installed: envs/eegwf.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --require-hashes --requirement envs/eegwf.txt
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed envs/test.txt
	$(BIN)/python -m pip install --require-hashes --requirement envs/test.txt
	touch $@

# Packages that the benchmarks compare with. fCWT is measured if it is installed; it needs a compiler and FFTW.
$(VENV)/.benched: $(VENV)/.installed envs/bench.txt
	$(BIN)/python -m pip install --require-hashes --requirement envs/bench.txt
	touch $@

# Updates the lock files to the newest versions, with hashes for all platforms. Needs uv.
lock:
	uv pip compile pyproject.toml --extra gpu --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --upgrade --output-file envs/eegwf.txt
	uv pip compile pyproject.toml --extra test --constraint envs/eegwf.txt --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --output-file envs/test.txt
	uv pip compile pyproject.toml --extra bench --constraint envs/eegwf.txt --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --output-file envs/bench.txt

clean:
	rm -rf results/* .snakemake
