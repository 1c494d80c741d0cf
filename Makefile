# Every target sets up what it needs: Python 3.11 or newer and make are all that must be there.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
MAIL ?=
RECORD ?=
DIR ?= screenshots
MARKS ?= not journey and not processes and not long and not image and not foreign
SEEDS ?=
ONLY ?=

.PHONY: help demo smoke test reworded journey faults faults-processes foreign image sweep check format lock reference bench screenshots docs-screenshots clean

help:
	@echo "make demo      the whole product against a simulated Exchange and Re:infer, in a browser"
	@echo "make smoke     the same without a person: a table of figures, an exit code (MAIL=DIR, RECORD=DIR)"
	@echo "make test      the tests"
	@echo "make reworded  what must not depend on the words of a message, with every message in other words"
	@echo "make journey   a browser against the running product"
	@echo "make faults    everything that can break, broken on purpose (SEEDS=0-1999, DATABASE_URL=postgres://…)"
	@echo "make faults-processes   the same with the installed product, whose processes are killed (SEEDS=0-49)"
	@echo "make foreign   clients that this project did not write, against the simulators (Node, Java and Cargo: where installed)"
	@echo "make image     docker/Dockerfile built and run as in production (as root, with buildah and debootstrap)"
	@echo "make sweep     every regular expression and the whole conversion over texts that grow: no more than linear time"
	@echo "make screenshots   every page as a picture, in the folder screenshots (DIR=...; needs Chromium)"
	@echo "make check     style, types, layering, migrations, Django's system checks"

demo: $(VENV)/.ready
	@exec $(RUN) -m demo

smoke: $(VENV)/.ready
	@exec $(RUN) -m demo smoke $(if $(MAIL),--mail "$(MAIL)") $(if $(RECORD),--record "$(RECORD)")

test: $(VENV)/.ready
	@$(RUN) -m pytest -n auto --dist worksteal -m "$(MARKS)" $(PYTEST)

# The suites of behaviour once more, while every message of the product is in other words whenever it is said (tests/rewording.py).
BEHAVIOUR := tests/database tests/faults tests/notices tests/unit/sync tests/test_rewording.py
reworded: $(VENV)/.ready
	@REWORD=1 FAULT_SEEDS=$(or $(SEEDS),0-1) LOG_LEVEL=CRITICAL $(RUN) -m pytest -n auto --dist worksteal -m "not wording and not processes and not long" $(BEHAVIOUR) $(PYTEST)

# A browser against the whole running stack: takes a minute, and needs Chromium.
journey: $(VENV)/.ready
	@$(RUN) -m pytest -m journey tests/journey

# Seeds of the fault suite, with mail from EWS and from Graph (FAULT_SOURCE=ews or graph: one of them): about six seconds each on
# one core. See docs/guarantees.md.
faults: $(VENV)/.ready
	@FAULT_SEEDS=$(or $(SEEDS),0-199) LOG_LEVEL=CRITICAL $(RUN) -m pytest -n auto -m "not processes" tests/faults tests/database/test_citizenship.py $(PYTEST)

# The second kind: a PostgreSQL, a Redis, web, two workers, two beats, all of them killed and cut off. Half a minute a seed, and
# alone: it needs the machine for itself.
faults-processes: $(VENV)/.ready
	@PROCESS_SEEDS=$(or $(SEEDS),0-49) $(RUN) -m pytest -m processes -rs tests/faults/processes $(PYTEST)

# The clients are installed into the user's cache folder, or into FOREIGN_CACHE, by the first run: that takes minutes.
foreign: $(VENV)/.ready
	@$(RUN) -m pytest -n0 -m foreign -rs tests/foreign $(PYTEST)

# Three minutes, and some gigabytes below the folder for temporary files, which are gone at the end.
image: $(VENV)/.ready
	@$(RUN) -m pytest -n0 -m image -rs tests/image $(PYTEST)

# About six minutes of two cores. In CPU seconds, so others may use the machine as well; ONLY=text: what has this in its name.
sweep: $(VENV)/.ready
	@LOG_LEVEL=CRITICAL $(RUN) -m tests.sweep --only "$(ONLY)"

screenshots: $(VENV)/.ready
	@$(RUN) -m demo.screenshots $(DIR)

# The few that docs/ shows. They are small, and they are committed.
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

# The lock files name versions and hashes, so that the same ones come from whatever index pip is told to use.
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
