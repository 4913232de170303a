# The same few commands for people and for CI. `make help` lists them from the comments behind the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: .venv/.installed ## Create .venv and install everything, tests' tools included

# torch on its own and first: the CPU build where pip offers one for this version, and later ranges are then satisfied.
.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$${PENCHANT_TORCH:-torch==2.13.0}"
	$(BIN)/python -m pip install --quiet --editable '.[embedded,offline,load,dev]'
	touch $@

demo: setup ## Fetch data, fine-tune, evaluate and serve, in one go; a second run only serves
	$(BIN)/penchant demo

recipe: setup ## One service from nothing to a slate: NAME=shop, social, video, news or leisure
	$(BIN)/python examples/recipes/run.py $(NAME) --recipe $(or $(RECIPE),tiny)

docs-test: setup ## The examples of every page, run against a server
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit/test_docs.py tests/e2e/test_pages_run.py

bench: setup wrk ## Requests a second and CPU time a request, beside a bare FastAPI route; needs what `make demo` made
	$(BIN)/python tests/bench/serving.py

# promtool, for the tests of docker/prometheus: fetched in the same way, and never started.
prometheus:
	@command -v promtool >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null; } || true

wrk:
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk >/dev/null; } || { echo "make bench needs wrk"; exit 1; }

test: prometheus
.PHONY: recipe docs-test bench prometheus wrk

serve: setup ## Serve the current bundle
	$(BIN)/penchant serve

check: setup ## Lint, types, import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/unit/test_arrows.py

# One thread: the models of the tests are tiny, and threads that wait for a busy core cost more than they bring.
test: setup redis-server chromium check ## All tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# The contract suite wants a real redis-server too. As root on Debian it is installed; elsewhere the suite says it skipped.
redis-server:
	@command -v redis-server >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server >/dev/null; } || true

# The console's tests drive Debian's Chromium.
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || true

bench-import: setup ## Import 50,000 items while slates are served; writes docs/reports/import
	PENCHANT_BUNDLE_DIR="$${PENCHANT_BUNDLE_DIR:-artifacts/current}" $(BIN)/python tests/bench/bench_import.py

report-steering: setup ## Measure whether saying it moves the slate; writes docs/reports/steering.md
	$(BIN)/python -m app.offline.steering

report-faithfulness: setup ## Measure whether cited events matter; writes docs/reports/faithfulness.md
	$(BIN)/python -m app.offline.faithfulness

report-diversity: setup ## Measure what diversity costs in accuracy; writes docs/reports/diversity.md
	$(BIN)/python -m app.offline.diversity_curve

report-training: setup ## Measure what training costs: NAME=ml-100k RECIPES="fast cpu"; writes docs/reports/training.md
	$(BIN)/python -m app.offline.training_report $(NAME) $(RECIPES)

report-refresh: setup ## Measure what a daily refresh is worth; writes docs/reports/refresh.md
	$(BIN)/python -m app.offline.refresh_report

report-strangers: setup ## Measure what words, or one event, tell of a user; writes docs/reports/strangers.md
	$(BIN)/python -m app.offline.strangers

report-zero-shot: setup ## Rank other data by text alone: DATA="DIR DIR"; writes docs/reports/zero-shot.md
	$(BIN)/python -m app.offline.zero_shot $(DATA)

.PHONY: report-strangers report-zero-shot report-training report-refresh report-diversity report-steering report-faithfulness bench-import help setup demo serve check test redis-server chromium
