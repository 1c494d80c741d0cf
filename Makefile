# The targets install the Python packages that they need into .venv. Python 3.11 or newer and make must be installed; a few targets
# need more, as `make help` says.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
MAIL ?=
RECORD ?=
DIR ?= screenshots
MARKS ?= not journey and not processes and not long and not image and not foreign
SEEDS ?=
# One more than the number of processors, because some tests wait without using a processor.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
ONLY ?=

.PHONY: help demo smoke test coverage reworded journey faults faults-processes foreign image sweep check format lock reference bench screenshots docs-screenshots clean

help:
	@echo "make demo      the product with a simulated Exchange and Re:infer, in a browser"
	@echo "make smoke     the same without a browser: prints a table of figures and sets the exit code (MAIL=DIR, RECORD=DIR)"
	@echo "make test      the tests"
	@echo "make coverage  the tests, with a report of the line coverage"
	@echo "make reworded  the behaviour tests, with another text for every message: behaviour must not depend on a text"
	@echo "make journey   browser tests against the running product"
	@echo "make faults    fault injection with random seeds (SEEDS=0-1999, DATABASE_URL=postgres://…)"
	@echo "make faults-processes   fault injection with real processes, which are killed or disconnected (SEEDS=0-49)"
	@echo "make foreign   third-party clients against the simulators (Node, Java and Rust clients only if these are installed)"
	@echo "make image     builds docker/Dockerfile and runs it as in production (needs root, buildah and debootstrap)"
	@echo "make sweep     checks that regular expressions and conversion take no more than linear time"
	@echo "make screenshots   screenshots of the pages, in the folder screenshots (DIR=...; needs Chromium)"
	@echo "make check     style, types, package layers, migrations, Django's system checks"

demo: $(VENV)/.ready
	@exec $(RUN) -m demo

smoke: $(VENV)/.ready
	@exec $(RUN) -m demo smoke $(if $(MAIL),--mail "$(MAIL)") $(if $(RECORD),--record "$(RECORD)")

test: $(VENV)/.ready
	@$(RUN) -m pytest -n $(WORKERS) --dist worksteal -m "$(MARKS)" $(PYTEST)

# Lines that run only in child processes, such as workers that tests start and kill, count as not covered.
coverage: $(VENV)/.ready
	@$(RUN) -m pytest -n auto --dist worksteal -m "$(MARKS)" --cov --cov-report=term $(PYTEST)

# The behaviour tests, while every message of the product has another text (tests/rewording.py).
BEHAVIOUR := tests/sync tests/faults tests/notifications tests/operations tests/test_rewording.py
reworded: $(VENV)/.ready
	@REWORD=1 FAULT_SEEDS=$(or $(SEEDS),0-1) LOG_LEVEL=CRITICAL $(RUN) -m pytest -n auto --dist worksteal -m "not wording and not processes and not long" $(BEHAVIOUR) $(PYTEST)

# Browser tests against the whole running stack. They take a minute and need Chromium.
journey: $(VENV)/.ready
	@$(RUN) -m pytest -m journey tests/journey

# Seeds of the fault tests, over EWS and over Graph (FAULT_SOURCE=ews or graph selects one). A seed takes about six seconds on one
# core. See docs/guarantees.md.
faults: $(VENV)/.ready
	@FAULT_SEEDS=$(or $(SEEDS),0-199) LOG_LEVEL=CRITICAL $(RUN) -m pytest -n auto -m "not processes" tests/faults tests/sync/jobs/test_citizenship.py $(PYTEST)

# Fault tests with real processes: PostgreSQL, Redis, web, two workers and two beats, which are killed or disconnected. A seed takes
# half a minute. Nothing else should run on the machine meanwhile.
faults-processes: $(VENV)/.ready
	@PROCESS_SEEDS=$(or $(SEEDS),0-49) $(RUN) -m pytest -m processes -rs tests/faults/processes $(PYTEST)

# The first run installs the clients into the user's cache folder, or into FOREIGN_CACHE. This takes minutes.
foreign: $(VENV)/.ready
	@$(RUN) -m pytest -n0 -m foreign -rs tests/foreign $(PYTEST)

# Takes three minutes, and some gigabytes of temporary files, which are deleted at the end.
image: $(VENV)/.ready
	@$(RUN) -m pytest -n0 -m image -rs tests/image $(PYTEST)

# Takes about six minutes on two cores. It measures CPU time, so other programs may run meanwhile. ONLY=text runs only the checks
# with this text in their name.
sweep: $(VENV)/.ready
	@LOG_LEVEL=CRITICAL $(RUN) -m tests.sweep --only "$(ONLY)"

screenshots: $(VENV)/.ready
	@$(RUN) -m demo.screenshots $(DIR)

# The screenshots that docs/ shows. They are small, and they are committed.
docs-screenshots: $(VENV)/.ready
	@$(RUN) -m demo.screenshots --docs docs/screenshots

check: $(VENV)/.ready
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/mypy .
	@SECRET_KEY=check ENCRYPTION_KEYS=$$($(RUN) -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())") \
	 sh -c '$(RUN) manage.py makemigrations --check --dry-run && $(RUN) manage.py check --fail-level WARNING'

format: $(VENV)/.ready
	@$(VENV)/bin/ruff check --fix -q .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.ready
	@$(RUN) -m bench fetch && $(RUN) -m bench memory

reference: $(VENV)/.ready
	@$(RUN) -m config.settings_reference > docs/configuration.md

# The lock files contain versions and hashes, so that pip installs the same packages from any index.
lock: $(VENV)/.ready
	@$(VENV)/bin/uv pip compile pyproject.toml --universal --generate-hashes --no-header -q -o requirements.lock
	@$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header -q -o requirements-dev.lock

$(VENV)/.ready: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	 { echo "Python 3.11 or newer is needed: $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip -q
	@$(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) data .mypy_cache .ruff_cache .pytest_cache .hypothesis
