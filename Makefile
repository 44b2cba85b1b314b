# make report   the default study: results/vit_mel_3class/report.html
# make report CONFIG=config/datasets/helsinki.yaml DATA=path/to/helsinki    every report of another configuration
# make test     all tests but those of the cluster: make test-hpc
# make image    containers/eegwf.sif, which jobs run in with --sdm apptainer; needs Apptainer
# make reproduce RUN=results/vit_mel_3class    run a published result again and compare: docs/reproduce.md
# make bench    the benchmarks: docs/benchmarks.md and .json
# make lint | docs | lock | clean

PYTHON ?= python3
VENV ?= .venv
CONFIG ?=
DATA ?=
# On a machine with GPUs, as many jobs at a time as there are; Snakemake would not count them by itself.
GPUS ?= $(shell nvidia-smi --list-gpus 2>/dev/null | grep -c GPU | grep -v '^0$$')
TARGET ?= $(if $(CONFIG),,results/vit_mel_3class/report.html)
BIN := $(VENV)/bin
# For `apptainer build`, such as --build-arg TORCH_INDEX=... for a torch of an older CUDA.
IMAGE_OPTIONS ?=
OPTIONS := $(if $(CONFIG),--configfile $(CONFIG)) $(if $(DATA),--config data_root=$(DATA))

.PHONY: report test test-hpc image reproduce bench lint docs lock clean

report: $(VENV)/.installed
	$(BIN)/python -m eegwf.dag.unlock $(OPTIONS)
	$(BIN)/snakemake --cores all $(TARGET) $(if $(GPUS),--resources gpu=$(GPUS)) $(OPTIONS)

test: $(VENV)/.tested lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/hpc

# A real SLURM, brought up for the tests: as root on Debian or Ubuntu what it needs is installed, elsewhere they skip.
test-hpc: $(VENV)/.tested
	tests/hpc/install.sh
	$(BIN)/python -m pytest tests/hpc

image: $(VENV)/.installed
	apptainer build --force $(IMAGE_OPTIONS) containers/eegwf.sif containers/eegwf.def
	$(BIN)/python -m eegwf.provenance.container_image digest containers/eegwf.sif
	@echo "containers/eegwf.sif is built; snakemake --sdm apptainer ... and --profile slurm use it"

reproduce: $(VENV)/.installed
	$(BIN)/eegwf reproduce $(RUN) --into again -- --cores all

bench: $(VENV)/.benched
	$(BIN)/python -m bench

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
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

# What the benchmarks compare with. fCWT is measured too where it is installed; it needs a compiler and FFTW.
$(VENV)/.benched: $(VENV)/.installed envs/bench.txt
	$(BIN)/python -m pip install --require-hashes --requirement envs/bench.txt
	touch $@

# The newest versions of everything, with hashes for every platform. Needs uv.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --output-file envs/eegwf.txt
	uv pip compile pyproject.toml --extra test --constraint envs/eegwf.txt --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --output-file envs/test.txt
	uv pip compile pyproject.toml --extra bench --constraint envs/eegwf.txt --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --output-file envs/bench.txt

clean:
	rm -rf results/* .snakemake
