# make run           sets up, builds the bundled tenants, answers one question and serves on 127.0.0.1:8765
# make run SERVE=0   the same, and stops after the answer
# make test          sets up and runs every check but those that take long
# make test-fast     the same without the slow files of tests: a minute or so, while working
# make test-long     the checks that take long: the wheel in an empty environment, uv, coverage of the unit tests
# make lock          writes requirements.lock anew from pyproject.toml; UPGRADE=name takes the newest of one package
# make setup         only leaves .venv/bin/gata
# make conformance   the official MCP conformance suite and clients against the server; needs npm
#
# Needs make, git and Python 3.11 or newer. PYTHON=/path/to/python chooses one. Packages come from wherever your pip is
# told to look, and must have the hashes of requirements.lock.

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
SERVE ?= 1
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
NOTED = $(if $(LEFT_OUT),--left-out $(LEFT_OUT))
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: setup run test test-fast test-long lint lock conformance

setup: .venv/.installed

run: setup
	@$(BIN)/python -P -m server.demo $(if $(filter 0 no false off,$(SERVE)),--no-serve)

test: lint
	$(PYTEST) $(NOTED)

test-fast: lint
	$(PYTEST) -m "not slow"

test-long: setup
	$(PYTEST) --long -m long $(NOTED)
	$(PYTEST) -m "not slow" --cov --cov-report=
	@echo "Coverage of the unit tests (make test-fast): $$($(BIN)/coverage report --format=total) %"

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint warehouse/macros pipeline/connectors

lock: setup
	$(BIN)/python -P -m tests.packaging.lock_pins $(UPGRADE)

conformance: setup
	$(BIN)/python -P -m bench.conformance

# Two stamps: a new lock file installs the packages again, a new pyproject.toml only gata itself.
.venv/.installed: .venv/.packages pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.packages: requirements.lock
	@if ! $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		for python in $(PYTHON); do \
			if $$python -c '$(NEW_ENOUGH)' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "gata needs Python 3.11 or newer; none of these is: $(PYTHON)." >&2; \
			echo "Install it, or name it: make PYTHON=/path/to/python3.11" >&2; \
			exit 1; \
		fi; \
		if ! $$found -m venv --clear .venv; then \
			echo "$$found has no venv. Install it (Debian and Ubuntu: apt install python3-venv), then run make again." >&2; \
			exit 1; \
		fi; \
	fi
	@echo "Installing the packages of requirements.lock into .venv: a minute, once." >&2
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@touch $@
