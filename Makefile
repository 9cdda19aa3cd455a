# Every target does its own set-up: all it needs is Python 3.11 (or later) and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TORCH  := $(shell sed -n '/^torch==/p' constraints.txt)

# What is installed is written down in stamp files, so that nothing is installed twice.
TORCH_STAMP := $(VENV)/.stamp-torch
TEST_STAMP  := $(VENV)/.stamp-test
# The environment of the tests holds all that the demo needs.
DEMO_STAMP  := $(if $(wildcard $(TEST_STAMP)),$(TEST_STAMP),$(VENV)/.stamp-demo)

PIP      := $(BIN)/pip --disable-pip-version-check
PACKAGES := swarm wiki finetune declarative bindings

# No library may look for a model, a price table or a second core on its own.
QUIET_ENV := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 \
	TOKENIZERS_PARALLELISM=false LITELLM_LOCAL_MODEL_COST_MAP=True

# A worker for each core, up to four; one process with ARGS="-n 0".
PARALLEL := $(if $(findstring no:xdist,$(ARGS)),,-n logical --maxprocesses 4 --dist loadgroup)

.DEFAULT_GOAL := help
.PHONY: help demo test test-quantize coverage check format requirements bench clean distclean \
	check-format check-lint check-types check-imports check-spelling

help: ## Print this list.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

demo: $(DEMO_STAMP) ## Train the pharmacy's wiki and talk to it, from start to end.
	$(QUIET_ENV) $(BIN)/python examples/pharma/demo.py

test: $(TEST_STAMP) ## Run the tests; ARGS="..." goes to pytest.
	$(QUIET_ENV) $(BIN)/pytest $(PARALLEL) $(ARGS)

test-quantize: $(TEST_STAMP) ## Compile llama.cpp's quantiser (15 minutes) and test with it.
	CMAKE_ARGS="-DGGML_NATIVE=OFF" $(PIP) install -c constraints.txt -e '.[quantize]'
	$(QUIET_ENV) WIKISWARM_TEST_QUANTIZE=1 $(BIN)/pytest -n 0 tests/finetune/package/test_quantiser.py

coverage: $(TEST_STAMP) ## Run the tests, slower, and print what of the code they run.
	$(QUIET_ENV) $(BIN)/pytest $(PARALLEL) --cov --cov-report=term:skip-covered $(ARGS)

check: check-format check-lint check-types check-imports check-spelling ## Run every check but the tests.

check-format: $(TEST_STAMP)
	$(BIN)/ruff format --check

check-lint: $(TEST_STAMP)
	$(BIN)/ruff check

check-types: $(TEST_STAMP)
	$(BIN)/pyright

check-imports: $(TEST_STAMP)
	$(BIN)/lint-imports

check-spelling: $(TEST_STAMP)
	$(BIN)/codespell

format: $(TEST_STAMP) ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

requirements: $(TEST_STAMP) ## Print the requirements that no test carries yet.
	$(BIN)/python scripts/requirements.py

bench: $(TEST_STAMP) ## Measure what a turn costs, and what sessions hold.
	$(QUIET_ENV) $(BIN)/python benchmarks/turn.py --limit 4
	$(QUIET_ENV) $(BIN)/python benchmarks/sessions.py --limit-mb 100 --limit-ratio 1.2
	$(QUIET_ENV) $(BIN)/python benchmarks/opening.py --limit 2
	$(QUIET_ENV) $(BIN)/python benchmarks/rollback.py --limit-ms 100
	$(QUIET_ENV) $(BIN)/python benchmarks/rpc.py --limit-hop-ms 1 --limit-turn-ms 15

clean: ## Remove caches, coverage data and build output.
	rm -rf build dist .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find $(PACKAGES) tests examples benchmarks scripts -name __pycache__ -type d -prune \
		-exec rm -rf {} + 2>/dev/null || true

distclean: clean ## Remove the environment as well.
	rm -rf $(VENV)

# Torch comes first and alone: asked for by another package, it may come in a far larger build.
$(TORCH_STAMP): constraints.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("wikiswarm needs Python 3.11 or later; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install $(TORCH)
	touch $@

$(VENV)/.stamp-demo: $(TORCH_STAMP) pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[gguf,train]'
	touch $@

$(TEST_STAMP): $(TORCH_STAMP) pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[all,dev]'
	touch $@
