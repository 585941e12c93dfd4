# gameday: `make` alone lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PY_DIRS := harness scenarios stack tests $(wildcard bench)

.DEFAULT_GOAL := help
.PHONY: help setup gameday test test-deep lint check format docs bench lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv from the hashed lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gameday needs Python 3.11 or newer, found $$($(PYTHON) --version 2>&1); set PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Setting up $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

gameday: $(STAMP) ## Run the whole catalogue and print where the report is
	@$(BIN)/gameday run

test: $(STAMP) ## Run the tests
	@$(BIN)/python -m pytest

test-deep: $(STAMP) ## Run the long proofs too: planted defects for every scenario
	@$(BIN)/python -m pytest -m "deep or not deep"

lint: $(STAMP) ## Format, lint, types, import layers
	@$(BIN)/ruff format --check $(PY_DIRS)
	@$(BIN)/ruff check $(PY_DIRS)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint ## Format, lint, types, import layers, unit tests
	@$(BIN)/python -m pytest -q tests/unit

format: $(STAMP) ## Format and fix what can be fixed
	@$(BIN)/ruff format $(PY_DIRS)
	@$(BIN)/ruff check --fix $(PY_DIRS)

docs: $(STAMP) ## Write what is generated from the code: docs/reference/catalogue.md
	@mkdir -p docs/reference
	@$(BIN)/gameday list --format markdown > docs/reference/catalogue.md

bench: $(STAMP) ## Measure speed as ratios in one run
	@$(BIN)/python -m bench

lock: ## Pin every dependency again, with hashes and no addresses
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and caches of tools (not the parts' cache)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
