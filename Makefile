# Two commands do all their own set-up: `make run` and `make test`.
#   make run                      the daemon on config.example.toml
#   make run ARGS=--once          one round, then end
#   make test [ARGS=tests/unit]   the tests
#   make check                    ruff, mypy, import-linter, docs and tests
#   make connectors               which connector passes which check of the contract suite
#   make lock                     write the locks anew from pyproject.toml

PYTHON ?= python3
VENV ?= .venv
CONFIG ?= config.example.toml
ARGS ?=
# One more than there are cores, since many tests wait for others to act.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN || echo 2) + 1)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Recorded answers of the platforms and labelled texts, where somebody has them; the tests that need them skip without.
RECORDED := $(wildcard ../shared)
ifneq ($(RECORDED),)
export RECORDED_DATA ?= $(abspath $(RECORDED))
endif

# Bytecode is kept, whatever the environment says: else every worker, and every command that a test starts, compiles all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check lint types imports docs connectors lock wheel clean

run: $(VENV)/.run
	$(BIN)/sentiment-monitor run --config $(CONFIG) $(ARGS)

test: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: lint types imports test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/python -m pytest tests/unit/test_docs.py

connectors: $(VENV)/.dev
	$(BIN)/python -m pytest tests/contract --table

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

# The package itself is installed without fetching anything that the lock does not name.
$(VENV)/.run: requirements/run.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements/run.lock
	$(PIP) install --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	$(PIP) install -r requirements/dev.lock
	touch $@

$(VENV)/.browser: $(VENV)/.dev
	sh requirements/browser.sh $(BIN)/python
	touch $@

lock:
	sh requirements/lock.sh $(PYTHON)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
