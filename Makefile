# Waihu. `make` alone lists the targets. Everything is installed into .venv and .cache of this checkout;
# system packages (an Asterisk for the lab, PostgreSQL, SIPp, espeak-ng) come through apt when they are missing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench docs lab-tools crm-tools test-crm lock format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml scripts/venv
	@scripts/venv $(PYTHON) $(VENV)
	@touch $@

demo: $(STAMP) lab-tools ## a whole exchange on this machine: three reps, some dozens of contacts, calls moving (ONCE=1: end by itself)
	@$(BIN)/python -m lab.demo $(if $(ONCE),--once)

test: $(STAMP) lab-tools crm-tools ## all tests but the long ones, on a real Asterisk, PostgreSQL, Odoo and BottleCRM (ARGS=...: options of pytest)
	@$(BIN)/python -m scripts.suite $(ARGS)

soak: $(STAMP) lab-tools crm-tools ## the long kill and load runs
	@$(BIN)/python -m pytest -m soak -rA $(ARGS)

test-crm: $(STAMP) lab-tools crm-tools ## against real CRMs: Odoo and BottleCRM, with the long kill runs
	@$(BIN)/python -m pytest -m crm_live -rA $(ARGS)

check: $(STAMP) ## lint, types, who may import whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP) lab-tools crm-tools ## every benchmark beside its bare baseline, one JSON line each (ONLY=name: one)
	@$(BIN)/python -m benchmarks $(ONLY)

docs: $(STAMP) ## make the reference pages that come from the code
	@$(BIN)/python -m scripts.reference

lab-tools:
	@scripts/lab-tools

crm-tools: # 3: a package cannot be had here; the tests say so
	@scripts/crm-tools || [ $$? -eq 3 ]

format: $(STAMP) ## put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(STAMP) ## work out requirements.lock anew: hashes, no index
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--group dev --no-header --no-annotate pyproject.toml -o requirements.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .cache var
