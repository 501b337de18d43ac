# Two commands for a user (appraise, test); check before a commit. Everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES := -n auto --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: appraise test test-all check bench docs clean

appraise: $(VENV)/.installed
	test -f caspian.xlsx || $(BIN)/fundappraise new caspian.xlsx --example caspian
	$(BIN)/fundappraise run caspian.xlsx --paths 100000

test: $(VENV)/.test
	sh .ci/chromium.sh
	$(BIN)/python -m pytest -q $(CORES)

test-all: $(VENV)/.test
	sh .ci/chromium.sh
	$(BIN)/python -m pytest -q $(CORES) -m "slow or not slow"

check: $(VENV)/.test
	$(BIN)/ruff format --check fundappraise tests benchmarks docs
	$(BIN)/ruff check fundappraise tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_imports.py tests/test_public_names.py

docs: $(VENV)/.test
	$(BIN)/python docs/pages.py

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	$(PIP) install -c requirements.lock -e ".[fast]"
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) install -c requirements.lock -e ".[test,dev]"
	touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) install -c requirements.lock -e ".[test,dev,bench]"
	touch $@

clean:
	rm -rf $(VENV) build dist
