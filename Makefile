# The commands of mvote. `make help` lists them.
# Ways in which PostgreSQL's programs would listen to the caller's shell instead of to us:
unexport PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGSERVICE PGOPTIONS PGDATA PGSSLMODE

SHELL := /bin/bash
PYTHON := .venv/bin/python
export PORT

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run stop test lint bench torture openapi clients messages migrate backup restore setup setup-dev \
	setup-bench setup-backup clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## everything, on http://127.0.0.1:8000 (another: make run PORT=8001)
	@exec $(PYTHON) -m ops.run

stop: ## stop what `make run` has started, from another terminal
	@exec $(call any_python) -m ops.stop

test: setup-dev ## all tests (a part: make test ARGS='tests/test_x.py -k word')
	@exec $(PYTHON) -m ops.testing $(ARGS)

lint: setup-dev ## ruff and mypy --strict
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

bench: setup-bench ## measure, and write var/bench.json
	@exec $(PYTHON) -m ops.bench.run $(ARGS)

torture: setup-dev ## the hard tests in their long forms (ARGS='--short': as the tests do)
	@exec $(PYTHON) -m ops.torture.run $(ARGS)

openapi: setup-dev ## write openapi.yaml anew from the code that serves it
	$(PYTHON) -m flask --app wsgi openapi write

clients: setup-dev ## clients in Python and TypeScript, from openapi.yaml, into var/clients
	@exec $(PYTHON) -m ops.clients $(ARGS)

messages: setup-dev ## bring translations/*.po up to date with the sentences in the code
	@exec $(PYTHON) -m ops.messages

migrate: setup ## bring the database to the newest migration
	@$(PYTHON) -m ops.database
	$(PYTHON) -m alembic upgrade head

backup: setup-backup ## an encrypted backup of the private database, while it runs
	@exec $(PYTHON) -m ops.backup $(ARGS)

restore: setup-backup ## bring it back (to an instant: ARGS='--to 2026-11-22T09:30:00Z')
	@exec $(PYTHON) -m ops.restore $(ARGS)

setup:
	@bash ops/setup.sh run

setup-dev:
	@bash ops/setup.sh dev

setup-bench:
	@bash ops/setup.sh bench

setup-backup:
	@bash ops/setup.sh backup

clean: ## remove .venv, var and the private cluster (never keys while DATABASE_URL is set)
	@exec $(call any_python) -m ops.clean

any_python = $(firstword $(wildcard $(PYTHON)) python3)
