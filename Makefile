# The same few commands for people and for CI. `make help` lists them from the comments behind the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-21s %s\n", $$1, $$2}'

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

docs-test: setup node ## The examples of every page, run against a server
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit/test_docs.py tests/e2e/test_pages_run.py

bench: setup wrk ## Requests a second and CPU time a request, beside a bare FastAPI route; needs what `make demo` made
	$(BIN)/python tests/bench/serving.py

serve: setup ## Serve the current bundle
	$(BIN)/penchant serve

check: setup ## Lint, types, import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/unit/test_arrows.py

# One thread: the models of the tests are tiny, and threads that wait for a busy core cost more than they bring.
test: setup redis-server chromium node prometheus check ## All tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Programs of Debian that tests and the bench use. As root they are installed, and no service of theirs is started;
# elsewhere the tests say what they skipped, and with CI=true they fail.
define install
@command -v $(1) >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(2) >/dev/null; } || true
endef

redis-server:
	$(call install,redis-server,redis-server)
chromium:
	$(call install,chromium,chromium)
node:
	$(call install,node,nodejs)
prometheus:
	$(call install,promtool,--no-install-recommends prometheus)
wrk:
	$(call install,wrk,wrk)
	@command -v wrk >/dev/null || { echo "make bench needs wrk"; exit 1; }

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

report-languages: setup ## Measure whether words in other languages find what they ask for; writes docs/reports/languages.md
	$(BIN)/python -m app.offline.languages

report-zero-shot: setup ## Rank other data by text alone: DATA="DIR DIR"; writes docs/reports/zero-shot.md
	$(BIN)/python -m app.offline.zero_shot $(DATA)

pictures: setup chromium ## Take the README's pictures of the console anew
	OMP_NUM_THREADS=1 $(BIN)/python tests/browser/take_pictures.py

.PHONY: help setup demo recipe serve check test docs-test bench bench-import redis-server chromium node prometheus wrk
.PHONY: report-steering report-faithfulness report-diversity report-refresh report-strangers report-training
.PHONY: report-zero-shot report-languages pictures
