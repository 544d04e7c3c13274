# The two commands that matter: `make demo` shows the system at work, `make test` checks it.
# `make help` lists the rest. Nothing is needed but Python 3.11 or newer and make; all the
# other programs come out of Python and npm packages pinned by hash.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The first of these that is new enough; name another with `make PYTHON=/path/to/python3`.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$name && exit; done; echo python3)

VENV := .venv
WEB := reading_worklist/web
LOCKS := deploy/requirements
STAMPS := $(VENV)/.stamps
# npm and what it starts must find the Node of the wheel before any other.
NODE_PATHS := npm_config_update_notifier=false PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
WEB_SOURCES := $(shell find $(WEB) \( -name node_modules -o -name dist \) -prune -o -type f -print 2>/dev/null)

# Extra words for pytest: `make test PYTEST_ARGS="tests/deploy -x"`.
PYTEST_ARGS ?=
# What is compiled is kept, whatever the caller's environment says: without that each process of a
# run compiles a thousand tests and their libraries for itself.
PYTEST := PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest
# How many processes test at once; auto: one a core.
WORKERS ?= auto
# A third of the time of quick tests is waiting, for a database or another process: three workers
# on two cores took 210 s where two took 289. Who has no tests left takes some of another's.
QUICK_WORKERS ?= $(if $(filter auto,$(WORKERS)),$(shell $(PYTHON) -c 'import os; n = os.cpu_count() or 1; print(n + (n + 1) // 2)'),$(WORKERS))
QUICK_TESTS := $(PYTEST) -rs -n $(QUICK_WORKERS) --dist worksteal -m "not slow"
# A file of these shares a whole system, so it stays with one worker; the long ones come first.
SLOW_TESTS := $(PYTEST) -rs -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m slow
# Extra words for the benchmark: `make bench BENCH_ARGS="--rows store --repeats 3"`.
BENCH_ARGS ?=

.PHONY: help setup python web demo up test test-fast soak cluster containers fuzz-api test-web lint audit sbom format bench lock clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: python web ## Install everything this checkout needs, below this directory (idempotent)

python:
	@echo "[1/3] Python packages"
	@$(PYTHON) deploy/install.py $(VENV) $(LOCKS)/dev.lock
	@$(VENV)/bin/python -m compileall -q storage pacs_gateway deploy \
		$(filter-out $(WEB),$(wildcard reading_worklist/*))

web: python
	@$(MAKE) $(STAMPS)/web-built

$(STAMPS)/web-packages: $(WEB)/package.json $(WEB)/package-lock.json $(WEB)/.npmrc
	@echo "[2/3] Packages of the web UI and the viewer (once, about a minute)"
	@cd $(WEB) && $(NODE_PATHS) npm ci --ignore-scripts --no-progress --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/web-built: $(STAMPS)/web-packages $(WEB_SOURCES)
	@echo "[3/3] Building the web UI"
	@cd $(WEB) && $(NODE_PATHS) npm run --silent build
	@mkdir -p $(STAMPS) && touch $@

demo: setup ## Start everything, seed a consortium, send real studies, stay up
	@$(VENV)/bin/rdc demo

up: setup ## Start everything on ./var (the same as .venv/bin/rdc up)
	@$(VENV)/bin/rdc up

test: setup test-web ## Run the whole suite: the quick tests, then the slow ones
	@$(QUICK_TESTS) $(PYTEST_ARGS)
	@$(SLOW_TESTS) $(PYTEST_ARGS)

test-fast: setup ## Run the quick tests only
	@$(QUICK_TESTS) $(PYTEST_ARGS)

soak: setup ## Half an hour of what `make test` does for minutes: 200 kills, outages of a minute, long fuzzing
	@RDC_SOAK=1 $(VENV)/bin/python -m pytest -m slow --timeout 14400 \
		tests/e2e/test_crash.py tests/e2e/test_outages.py tests/e2e/test_long_run.py \
		tests/pacs_gateway/test_fuzz.py tests/reading_worklist/test_viewer_corpus.py \
		tests/reading_worklist/test_races.py $(SOAK_TESTS) $(PYTEST_ARGS)

fuzz-api: setup ## An hour of made-up requests to every operation of the HTTP interfaces
	@RDC_SOAK=1 $(VENV)/bin/python -m pytest -m slow --timeout 7200 \
		tests/reading_worklist/test_api_fuzz.py $(PYTEST_ARGS)

cluster: setup ## A distributed centre in network namespaces: road, faults, replacement (root; 40 minutes)
	@peers=$$(.ci/peers haproxy iproute2 rabbitmq-server && echo 1); RDC_REQUIRE_PEERS=$$peers RDC_SOAK=1 \
		$(VENV)/bin/python -m pytest -s -m slow --timeout 1800 tests/cluster $(PYTEST_ARGS)

containers: setup ## The centre by Docker Compose and by systemd, as shipped (root; 30 minutes)
	@peers=$$(.ci/peers dcmtk docker.io iproute2 iptables mmdebstrap systemd-container && echo 1); \
		RDC_REQUIRE_PEERS=$$peers RDC_SOAK=1 \
		$(VENV)/bin/python -m pytest -s -m slow --timeout 3600 tests/containers $(PYTEST_ARGS)

test-web: web
	@cd $(WEB) && $(NODE_PATHS) npm run --silent test

lint: setup ## Check style, types and directions, Python and TypeScript
	@echo "ruff";         $(VENV)/bin/ruff check .
	@echo "ruff format";  $(VENV)/bin/ruff format --check .
	@echo "basedpyright"; $(VENV)/bin/basedpyright
	@echo "directions";   $(VENV)/bin/lint-imports --no-logo
	@echo "tsc";          cd $(WEB) && $(NODE_PATHS) npm run --silent typecheck
	@echo "eslint";       cd $(WEB) && $(NODE_PATHS) npm run --silent lint

$(VENV)/audit/.rdc-installed: python $(LOCKS)/audit.lock
	@$(VENV)/bin/python deploy/install.py $(VENV)/audit $(LOCKS)/audit.lock

# AUDIT_ARGS=--required fails where an advisory service cannot be reached: before a release.
AUDIT_ARGS ?=
audit: setup $(VENV)/audit/.rdc-installed ## Look for insecure code, licences and known vulnerabilities
	@echo "bandit"; $(VENV)/audit/bin/bandit --quiet --configfile pyproject.toml --recursive \
		--exclude $(WEB) storage pacs_gateway reading_worklist deploy
	@$(VENV)/bin/python -m deploy.release.licences
	@$(NODE_PATHS) $(VENV)/bin/python -m deploy.release.vulnerabilities $(AUDIT_ARGS)

sbom: setup $(VENV)/audit/.rdc-installed ## Write the bills of materials (CycloneDX JSON) to dist/
	@mkdir -p dist
	@$(VENV)/audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-format JSON --output-file dist/rdc-python.cdx.json \
		$(LOCKS)/runtime.lock
	@cd $(WEB) && $(NODE_PATHS) npm sbom --sbom-format cyclonedx --sbom-type application \
		--omit dev --package-lock-only >"$(CURDIR)/dist/rdc-web.cdx.json"
	@ls -l dist/*.cdx.json

format: python ## Lay out the Python sources
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

bench: setup ## Measure against peers; BENCH_ARGS="--rows store --repeats 3", --list, --help
	@$(VENV)/bin/python -m tests.bench $(BENCH_ARGS)

# Locks are made for every platform and Python at once and name no package index.
# Pins move only as far as they must; `make lock LOCK_ARGS=--upgrade` takes the newest of all.
LOCK_ARGS ?=
LOCK := $(VENV)/bin/uv pip compile --quiet $(LOCK_ARGS) --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: python ## Pin every package anew from pyproject.toml and package.json
	@echo "Python"
	@$(LOCK) $(LOCKS)/bootstrap.in --output-file $(LOCKS)/bootstrap.lock
	@$(LOCK) $(LOCKS)/audit.in --output-file $(LOCKS)/audit.lock
	@$(LOCK) --group dev pyproject.toml --output-file $(LOCKS)/dev.lock
	@$(LOCK) --constraints $(LOCKS)/dev.lock pyproject.toml --output-file $(LOCKS)/runtime.lock
	@echo "npm"
	@cd $(WEB) && $(NODE_PATHS) npm install --package-lock-only --ignore-scripts --loglevel=error
	@! grep -n '"resolved": "http' $(WEB)/package-lock.json

clean: ## Remove what the tools made; keeps packages and ./var
	@rm -rf $(WEB)/dist $(STAMPS)/web-built .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## Remove the installed packages too; keeps ./var
	@rm -rf $(VENV) $(WEB)/node_modules
