# Needs Python 3.11 or later and make; everything else goes into .venv here.
#
#   make demo      the example at http://127.0.0.1:8000          PORT, DATABASE_URL change it
#   make check     rules, types, unit tests and a few more, on SQLite: for everyday work
#   make test      rules, types, and the whole suite             TEST_POSTGRES_URL, PYTHON, WORKERS
#   make matrix    the suite on each Python and Django we support, and on the lowest of all bounds
#   make bench     figures of this machine                       TEST_POSTGRES_URL, WORKS, BENCH
#   make structure packages, layers, cycles, walks in numbers, beside an earlier commit    STRUCTURE
#   make types     checks the JavaScript client's types, and writes those that are shipped
#   make torture   a minute of everything at once on PostgreSQL  DATABASE_URL, TORTURE

PORT ?= 8000
WORKERS ?= auto
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# The oldest Python first: with it the suite runs on the oldest Django that we support, and a second
# time on Python 3.13 with the newest. Each is tried, for pyenv leaves shims that do not run.
works = $(shell for python in $(1); do "$$python" -c 'import sys; sys.exit(sys.version_info < (3, $(2)))' \
	2>/dev/null && echo "$$python" && break; done)
PYTHON ?= $(call works,python3.11 python3.12 python3.13 python3.14 python3 python,11)
PYTHON_313 ?= $(call works,python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python),13)

.DEFAULT_GOAL := help
.PHONY: help demo check test matrix bench bench-peers torture lint typecheck suite suite-313 structure format docs types node-tools clean

help:
	@sed -n '/^#   make/s/^# *//p' Makefile

# ── Environments ── a stamp in each tells which pyproject.toml it was made from ───────────────────

# $(1) the folder, $(2) the Python, $(3) extras, $(4) Django
define environment
	@test -n "$(2)" || { echo "Python 3.11 or later is needed, and is not on the PATH." >&2; exit 1; }
	@test -x $(1)/bin/pip || "$(2)" -m venv --clear $(1) || { \
		echo "$(2) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "── $(1): installing django-sync[$(3)] on $$($(1)/bin/python --version)" >&2
	@$(1)/bin/pip install -qq --editable '.[$(3)]' 'Django~=$(4)'
	@touch $@
endef

.venv/.demo: pyproject.toml
	$(call environment,.venv,$(PYTHON),demo,5.2.0)

.venv/.dev: pyproject.toml
	$(call environment,.venv,$(PYTHON),dev,5.2.0)
	@touch .venv/.demo

.venv-3.13/.dev: pyproject.toml
	$(call environment,.venv-3.13,$(PYTHON_313),dev,6.1.0)

# ── The example ───────────────────────────────────────────────────────────────────────────────────

demo: .venv/.demo
	@.venv/bin/python example_project/manage.py migrate --verbosity 0
	@.venv/bin/python example_project/manage.py seed
	@echo "── http://127.0.0.1:$(PORT)/  (Ctrl-C ends it)"
	@exec .venv/bin/uvicorn example_project.asgi:application --port $(PORT) --lifespan off --timeout-graceful-shutdown 1 \
		--log-level warning

# ── The suite ─────────────────────────────────────────────────────────────────────────────────────

test: lint typecheck suite suite-313

lint: .venv/.dev
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

typecheck: .venv/.dev
	@.venv/bin/mypy

# Besides the unit tests one file each of pulls, mutations, capture, sockets and the admin.
EVERYDAY := tests/unit $(addprefix tests/integration/test_,pull.py mutations.py socket.py admin_pages.py) \
	tests/integration/capture/test_writes.py

check: lint typecheck
	@DATABASE_URL= .venv/bin/pytest -q -n $(WORKERS) -m "not slow and not soak and not postgresql" $(EVERYDAY)

# The oldest Python and Django run everything on SQLite, the newest everything on PostgreSQL; each has
# besides, on the other database, what depends on Python and Django most. Where a database or a
# Python is missing, the other takes all. `make matrix` runs everything everywhere.
BRIEF := $(addprefix tests/integration/capture/test_,write_paths.py writes.py install.py)
# These ask the database nothing that others do not ask; the fifteen minutes are for those.
ON_SQLITE_ALONE := test_admin_* test_authentication.py test_board_page.py test_conflict_table.py \
	test_hostile_sockets.py test_limits.py test_openapi.py test_permissions.py test_push_admin.py \
	test_push_celery.py test_push_outbound.py test_push_senders.py test_session_admin.py \
	test_session_logs.py test_throttles.py
ON_POSTGRES := $(wildcard tests/integration tests/compatibility tests/deployment tests/party tests/torture) \
	$(addprefix --ignore-glob=tests/integration/,$(ON_SQLITE_ALONE)) \
	--ignore-glob=tests/party/test_mixed* --ignore-glob=tests/party/test_*sabotage*

# $(1) the environment; $(2) what runs on SQLite, $(3) on PostgreSQL, $(4) on SQLite where no other is
define run-suite
	@echo "── $(1): $$($(1)/bin/python -c 'import django, platform; print("Python", \
		platform.python_version(), "· Django", django.__version__)')"
	@url=$$($(1)/bin/python .ci/postgres_url.py) || exit 1; status=0; \
	if [ -n "$$url" ]; then paths="$(2)"; else paths="$(4)"; fi; \
	echo "── $(1): on SQLite, $$paths"; \
	DATABASE_URL= $(1)/bin/pytest -n $(WORKERS) -m "not soak and not postgresql" $$paths || status=1; \
	if [ -n "$$url" ]; then \
		echo "── $(1): on PostgreSQL, $(3)"; \
		DATABASE_URL="$$url" $(1)/bin/pytest -n $(WORKERS) -m "not soak and not sqlite" $(3) || status=1; \
	else \
		echo "── $(1): PostgreSQL was NOT tested: none answers (set TEST_POSTGRES_URL)"; \
	fi; \
	exit $$status
endef

suite: .venv/.dev
	$(call run-suite,.venv,tests,$(if $(PYTHON_313),$(BRIEF),$(ON_POSTGRES)),tests)

ifeq ($(PYTHON_313),)
suite-313:
	@echo "── Python 3.13 with Django 6.1 was NOT tested: there is no Python 3.13 here"
else
suite-313: .venv-3.13/.dev
	$(call run-suite,.venv-3.13,tests/unit $(BRIEF),$(ON_POSTGRES),tests/unit tests/integration)
endif

# noxfile.py says which. Pythons that pyenv keeps are found though its shims do not run them.
matrix: .venv/.dev
	@PATH="$$(printf '%s:' $(wildcard $(HOME)/.pyenv/versions/3.1[1-9]*/bin) $(CURDIR)/.venv/bin)$$PATH" \
		.venv/bin/nox

# ── Figures ── for reading, never for failing ─────────────────────────────────────────────────────

# Ratios against plain Django and DRF on SQLite and, where it answers, PostgreSQL; then one whole
# first pull into a client. WORKS chooses ("write pull"), BENCH passes options (--help names them).
bench: .venv/.dev
	@DATABASE_URL= .venv/bin/python -m tests.benchmarks.ratios $(WORKS) $(BENCH)
	@url=$$(.venv/bin/python .ci/postgres_url.py) || exit 1; \
	if [ -n "$$url" ]; then \
		DATABASE_URL="$$url" .venv/bin/python -m tests.benchmarks.ratios $(WORKS) $(BENCH); \
	else \
		echo "── PostgreSQL was NOT measured: none answers (set TEST_POSTGRES_URL)"; \
	fi
	@.venv/bin/python -m tests.benchmarks.first_pull

# Beside Kinto, PouchDB and plain DRF, by a harness of its own folder (PEERS), whose packages it has
# installed (PEERS_DIR) and whose PostgreSQL it has started. BENCH passes options.
PEERS_ARE ?= django-sync-pg-gunicorn,drf-pg-gunicorn,kinto-pg-uwsgi,pouchdb-server-leveldb
bench-peers:
	@test -f "$(PEERS)/http_bench.py" || { echo "make bench-peers PEERS=/path/to/the/harness" >&2; exit 1; }
	@PYTHONPATH="$(CURDIR):$(PEERS)" EXTRA_PEERS=tests.benchmarks.peers:DjangoSync \
		$(PEERS_DIR)/drf/bin/python $(PEERS)/http_bench.py --peers $(PEERS_ARE) $(BENCH)

# This one fails where a guarantee does; TORTURE="--seed 7 --seconds 600" has it as one wants it.
torture: .venv/.dev
	@.venv/bin/python -m tests.torture $(TORTURE)

# What holds the code together, in numbers. STRUCTURE=--json prints one JSON object and nothing else,
# STRUCTURE="--at COMMIT" compares with that commit.
structure: .venv/.dev
	@.venv/bin/python -m tests.tools.structure $(STRUCTURE)

# ── Housekeeping ──────────────────────────────────────────────────────────────────────────────────

# TypeScript and an IndexedDB for Node: what checks the JavaScript client besides Node itself. And
# axe, which looks at pages in tests/browser.
node-tools:
	@npm install --prefix .node --no-audit --no-fund --loglevel=error typescript@5.9 fake-indexeddb@6 axe-core@4.14

TSC := .node/node_modules/.bin/tsc -p tests/javascript
types: node-tools .venv/.dev
	@$(TSC)
	@.venv/bin/python -m tests.javascript.shipped_types

format: .venv/.dev
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

# The pages of docs/ that are made from the code; tests/docs/test_pages.py tells which are stale.
docs: .venv/.dev
	@.venv/bin/python -m tests.tools.pages

# The demo's database, example_project/db.sqlite3, stays: what is in it may be somebody's.
clean:
	rm -rf .venv .venv-3.13 .nox .node .test-databases .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
