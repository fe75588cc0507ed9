# What to type. Everything below runs in .venv, which the first call makes; python3 is all it takes.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Processes that run tests side by side.
JOBS   ?= 2
# Of a soak; without a seed one is drawn, and said.
UPDATES ?= 50
SEED    ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check bench mutants soak recording clean

help:  ## this list
	@awk -F ':.*##' '/^[a-z]+:.*##/ { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.product  ## an update that survives two killed processes, on this machine
	@$(BIN)/fwsm demo

test: $(VENV)/.dev  ## the checks, then all tests, with the coverage of branches
	@.ci/install-tools
	@$(MAKE) --no-print-directory check
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n $(JOBS) -rsx
	@$(BIN)/coverage combine -q
	@mkdir -p build
	@$(BIN)/coverage report > build/coverage.txt || { tail -n 3 build/coverage.txt >&2; exit 1; }
	@$(BIN)/coverage report --include='fwsm/core/*,fwsm/store/*' --fail-under=100 > build/whole.txt || { cat build/whole.txt >&2; exit 1; }
	@awk '/^TOTAL/ { print "coverage " $$NF ", missing lines in build/coverage.txt" }' build/coverage.txt

check: $(VENV)/.dev  ## style, types, layers, diagrams
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo 'Not formatted as it should be. Run: $(BIN)/ruff format' >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary fwsm tests docs
	@$(BIN)/lint-imports --no-logo > $(VENV)/layers.txt || { cat $(VENV)/layers.txt; exit 1; }
	@$(BIN)/fwsm diagram --check

bench: $(VENV)/.dev $(VENV)/.peers  ## ratios against SQLite by hand, DBOS, curl, Mosquitto and others, measured now
	@.ci/install-tools
	@.ci/install-tools bench
	@$(BIN)/python benchmarks

mutants: $(VENV)/.mutants  ## changes of the core that no test notices, judged against docs/reference/mutants.md
	@$(BIN)/python tests/mutants.py $(JOBS)

soak: $(VENV)/.dev  ## many updates in a row of one device on a bad day; make soak UPDATES=50 SEED=1
	@$(BIN)/python -m tests.soak --updates $(UPDATES) $(if $(SEED),--seed $(SEED))

recording: $(VENV)/.dev  ## the README's picture of the demo, from a run of it
	@$(BIN)/python -m docs.recording

clean:  ## removes what was made here, .venv included
	@rm -rf $(VENV) build dist mutants htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache tests/e2e/node/node_modules
	@find fwsm migrations tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written when its step has succeeded, so an interrupted step runs again.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "fwsm needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there)." \
	        "Install one and name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/install-tools venv
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.product: pyproject.toml $(VENV)/.made
	@echo 'Installing fwsm into $(VENV), once.'
	@$(BIN)/pip install -qq --editable '.[all]'
	@touch $@

$(VENV)/.mutants: $(VENV)/.dev
	@$(BIN)/pip install -qq 'mutmut>=3.8,<4'
	@touch $@

# What others do for the same task, for the benchmarks. Apart from .venv, so that nothing measured there is theirs.
$(VENV)/.peers: benchmarks/peers.txt $(VENV)/.made
	@echo 'Installing the peers of the benchmarks into $(VENV)/peers, once.'
	@$(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/pip install -qq --requirement benchmarks/peers.txt
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.made
	@echo 'Installing fwsm and its tools into $(VENV), once.'
	@$(BIN)/pip install -qq --editable '.[dev]'
	@touch $(VENV)/.product $@
