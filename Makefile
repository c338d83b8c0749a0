# One target, one sentence: `make` alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run up test check format lock bench docs setup clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## Set up and run the demo: a cluster, the services and the example processes; exit 0 when all went well.
	$(BIN)/python -m bpmn.demo

up: $(VENV)/.runtime ## The same, and stay up until Ctrl-C.
	$(BIN)/python -m bpmn.demo --stay

test: setup ## Set up and run every test.
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## Format check, lint, types, import contract and the fast tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -m "not slow" -q

format: $(VENV)/.dev ## Format the code and mend what the linter can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure side by side and print a table.
	$(BIN)/python -m bench

docs: $(VENV)/.dev ## Write the generated reference pages anew.
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.feel_pages
	$(BIN)/python -m tests.kit.feel_tck

lock: $(VENV)/.dev ## Resolve the dependencies anew into requirements/, with hashes and without addresses.
	requirements/lock

setup: $(VENV)/.dev node_modules/.installed
	@tests/system-packages

clean: ## Remove what the targets made.
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache

# Runtime and development packages share one environment; the stamp files keep
# `make run` from installing what only tests need.
$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	@echo "Setting up $(VENV); this takes about half a minute the first time."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Adding what tests need to $(VENV)."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
