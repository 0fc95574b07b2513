# Everything a newcomer types. What is missing gets installed once: into .venv, node_modules and static/vendor.

.DEFAULT_GOAL := help
.PHONY: help run test coverage check messages demo docs conformance faults bench screenshots new-provider clean

PY := .venv/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --require-hashes --no-deps
hash_of = $(firstword $(shell cksum < $(1)))
RUNTIME := .venv/.installed-$(call hash_of,requirements.lock)
DEV := .venv/.installed-dev-$(call hash_of,requirements-dev.lock)
RIVAL := .venv/.installed-rival-$(call hash_of,requirements-bench.lock)
VENDOR := static/vendor/README.md
WITNESSES := tests/conformance/node_modules/.package-lock.json

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) $(VENDOR) ## start Patchbay: embedded Redis, web, workers and sandbox
	@exec $(PY) -m launch --with-parent

test: $(DEV) $(VENDOR) $(WITNESSES) ## run every test, in a browser too
	@PATCHBAY_CHROMIUM="$$($(PY) scripts/browser.py)" && export PATCHBAY_CHROMIUM && \
	exec $(PY) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(TEST_OPTIONS)

coverage: ## the same, and say which lines and branches no test of this process has run
	@$(MAKE) --no-print-directory test TEST_OPTIONS="--cov --cov-report=term:skip-covered"

check: $(DEV) $(VENDOR) ## format, lint, types, import contracts, templates, migrations: all that is static
	@$(PY) -m ruff format --check --quiet . && echo "format      well"
	@$(PY) -m ruff check --quiet . && echo "lint        well"
	@$(PY) -m mypy --strict --no-error-summary && echo "types       well"
	@.venv/bin/lint-imports --no-cache > .venv/imports.txt 2>&1 || { cat .venv/imports.txt; exit 1; }; echo "imports     well"
	@.venv/bin/djlint templates --lint --quiet --profile=jinja --ignore=$(DJLINT_IGNORED) && echo "templates   well"
	@$(PY) -m patchbay.migrations --check && echo "migrations  well"
	@$(PY) -m scripts.messages --check && echo "messages    well"

messages: $(RUNTIME) ## gather the texts of code and templates for translation
	@$(PY) -m scripts.messages

demo: $(RUNTIME) $(VENDOR) ## do the main job without a browser, step by step
	@$(PY) -m scripts.demo

docs: $(RUNTIME) ## write the documents that follow from the code
	@$(PY) -m scripts.integration_docs

conformance: $(DEV) $(VENDOR) $(WITNESSES) ## what outside clients and specifications say, as tables, kept in docs
	@$(PY) -m scripts.conformance --write && echo && $(PY) -m scripts.mutation --write && echo && \
	$(PY) -m scripts.quality --write && $(PY) -m scripts.integration_docs

faults: $(DEV) $(VENDOR) ## what comes of each platform's faults, as a table, kept in docs
	@PATCHBAY_WRITE_FAULTS=1 PATCHBAY_TEST_DATABASE=sqlite $(PY) -m pytest tests/providers/test_faults_of_platforms.py

bench: $(DEV) $(RIVAL) $(VENDOR) ## run the benchmarks and print them beside their yardsticks
	@PATCHBAY_CHROMIUM="$$($(PY) scripts/browser.py)" && export PATCHBAY_CHROMIUM && exec $(PY) -m bench $(BENCHES)

screenshots: $(DEV) $(VENDOR) ## draw the pictures of README.md with a hub of its own
	@PATCHBAY_CHROMIUM="$$($(PY) scripts/browser.py)" && export PATCHBAY_CHROMIUM && $(PY) -m scripts.screenshots

new-provider: $(RUNTIME) ## NAME=acme: write the files of a new provider
	@test -n "$(NAME)" || { echo "Say which: make new-provider NAME=acme"; exit 1; }
	@$(PY) -m scripts.new_provider "$(NAME)"

clean: ## remove what was installed; the home (var) stays
	rm -rf .venv node_modules tests/conformance/node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .coverage

# H015 is a matter of layout alone; H052: the leaving page goes on by itself, without script, by a meta refresh.
DJLINT_IGNORED := H015,H052

# Some tests wait for processes, so three of ours keep two cores busy; more make them wait for each other.
TEST_PROCESSES ?= 3

$(PY):
	@for python in python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then break; fi; python=; \
	done; \
	test -n "$$python" || { echo "Patchbay needs Python 3.11 or newer: found none on the path."; exit 1; }; \
	$$python -m venv .venv || { rm -rf .venv; echo "$$python cannot make .venv: on Debian, install python3-venv."; exit 1; }

$(RUNTIME): | $(PY)
	@echo "Installing what requirements.lock names"
	@$(PIP) -r requirements.lock
	@touch $@

$(DEV): | $(PY)
	@echo "Installing what requirements-dev.lock names"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(RUNTIME)

# dlt is there to be compared with: in a place of its own, so that it decides nothing about what Patchbay runs on.
$(RIVAL): | $(PY)
	@echo "Installing what requirements-bench.lock names, into .venv/dlt"
	@$(PY) -m venv --clear .venv/dlt
	@.venv/dlt/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

# Specifications and clients that tests/conformance asks; nothing of them runs with Patchbay.
$(WITNESSES): tests/conformance/package-lock.json | $(PY)
	@$(PY) -m scripts.npm tests/conformance

$(VENDOR): package-lock.json scripts/npm.py scripts/vendor.py $(wildcard patchbay/providers/*.py patchbay/providers/*/__init__.py) | $(RUNTIME)
	@$(PY) scripts/vendor.py
