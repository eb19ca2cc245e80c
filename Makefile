# What people and CI call. Each target does the set-up that it needs, once: a second run finds it done.
# `make PYTHON=python3.12 setup` chooses the interpreter of .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
TRAINER := images/trainer/requirements.txt
WEB := api/web_dist/index.html
WEB_SOURCES := docs/openapi.json $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/generated/*')

# Tests mostly wait for containers, so more of them run at once than a small machine has cores. A file's tests stay together: they share servers.
WORKERS ?= 3
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# As in the training image: tests that train side by side must not spin on each other's cores.
export OMP_WAIT_POLICY := PASSIVE

# One engine for docker's own client in the scripts and for Lorry.
ifdef LORRY_DOCKER_HOST
export DOCKER_HOST := $(LORRY_DOCKER_HOST)
else ifdef DOCKER_HOST
export LORRY_DOCKER_HOST := $(DOCKER_HOST)
endif

# A developer's own settings must not change what the tests see.
ifneq (,$(filter test unit integration test-faults,$(MAKECMDGOALS)))
unexport $(filter-out LORRY_DOCKER_HOST,$(filter LORRY_%,$(.VARIABLES)))
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo serve test openapi web lint unit integration test-faults engine images postgres chromium compose oracle constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.setup engine images ## environment, Docker Engine, images, web app: everything that running Lorry needs
	@$(MAKE) --no-print-directory web || echo '==> Lorry works, but without its web app: `make web` says why' >&2

demo: setup ## train a LoRA on sample photographs, from nothing to a verified adapter file
	$(BIN)/lorry demo

serve: setup ## run the API and the orchestrator in one process
	$(BIN)/lorry serve

test: lint unit integration ## everything CI checks, what fails fastest first

openapi: $(VENV)/.setup ## write docs/openapi.json, api.md and cli.md, after a change of routes or commands
	$(BIN)/python -m api.reference docs
	$(BIN)/python -m cli.reference docs

web: $(WEB) ## build the web app into api/web_dist, where the API serves it from

$(WEB): $(VENV)/.setup $(WEB_SOURCES)
	@echo '==> building the web app'
	@web/npm.sh run --silent build

lint: $(VENV)/.test-setup ## format, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy images/fake_trainer
	web/npm.sh run --silent check

unit: $(VENV)/.test-setup ## the tests that need no engine
	$(PYTEST) tests/unit tests/contract

integration: $(VENV)/.test-setup setup web postgres chromium compose oracle ## the tests on the real engine, stores and images, as a user, and with faults
	$(PYTEST) tests/integration tests/e2e tests/faults

test-faults: $(VENV)/.test-setup setup postgres ## kill -9, a dead engine, lost answers, a locked store, abuse: the fault plan
	$(BIN)/pytest tests/faults

fuzz: $(VENV)/.test-setup ## ask the API what a stranger can think of, for FUZZ_SECONDS (600)
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/pytest tests/integration/api/test_schemathesis.py

engine:
	@images/engine.sh

images: $(VENV)/.setup engine
	@images/build.sh fake trainer

postgres:
	@tests/postgres.sh

chromium:
	@tests/chromium.sh

# Another Data API than the tests' own Supabase, to hold that one against.
oracle: $(VENV)/.setup
	@tests/integration/supabase/oracle/install.sh

# Lorry's own image, which only compose.yaml needs, and what the test of it needs.
compose: $(VENV)/.setup web engine postgres
	@images/build.sh lorry
	@tests/compose/prepare.sh

$(VENV)/.setup: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Lorry needs Python 3.11 or newer, but '$(PYTHON)' is not; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "error: '$(PYTHON)' comes without the venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "==> installing Lorry into $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test-setup: $(VENV)/.setup $(TRAINER)
	@echo "==> installing the test tools and the trainer's packages (several hundred MB) into $(VENV)"
	$(PIP) install --constraint constraints.txt --editable '.[test]' --requirement $(TRAINER)
	@touch $@

constraints: ## resolve constraints.txt again, to the newest versions that agree with the trainer's
	rm -rf build/pins
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip install --quiet --constraint $(TRAINER) '.[test]'
	{ grep '^#' constraints.txt; build/pins/bin/python -m pip freeze --exclude lorry; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/pins

clean: ## remove what setup and test made here; images, engine and lorry-data stay
	rm -rf $(VENV) build dist api/web_dist web/node_modules web/src/api/generated *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
