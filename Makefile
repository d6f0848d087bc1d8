# One command each; plain `make` lists them. All of them install what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?=
BIN := .venv/bin
PYTEST_ARGS ?=
UV ?= $(shell command -v uv || echo $(BIN)/uv)
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --custom-compile-command 'make lock' $(LOCK_ARGS)

.PHONY: help setup run test check format gen docs bench bench-clients clients conformance interop crash faults soak wire-soak swaps differential mutations bucketing wheel lock clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: ## make .venv with all that is needed, from the locks, native wire where cargo is; leaves .venv/bin/sidecar
	@PYTHON=$(PYTHON) tools/setup.sh

run: setup ## run the sidecar on the example configuration
	@$(BIN)/sidecar serve --config examples/run.yaml

test: setup ## run the tests, of the codec too; PYTEST_ARGS='-k outbox' chooses
	@$(BIN)/python -m tools.checks.native test
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: setup ## format, lint, types, layers, contract, freshness and budgets
	@$(BIN)/python -m tools.checks

format: setup ## rewrite what ruff can
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

gen: setup ## generate the stubs from proto/
	@$(BIN)/python -m tools.gen

docs: setup ## generate docs/configuration.md from the configuration
	@$(BIN)/python -m tools.docs

bench: setup ## measure the ratios that docs/ promises; wants h2load (Debian: nghttp2-client)
	@$(BIN)/python -m bench

bench-clients: setup ## what a Decide costs its caller, in each client's language that is here; ARGS='--language go'
	@$(BIN)/python -m bench.clients $(ARGS)

clients: setup ## lint, tests, samples and conformance of all clients whose toolchain is here
	@$(BIN)/python -m tools.checks client
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/clients clients/python/tests $(PYTEST_ARGS)

# Long forms of tests that CI runs short; soak and others go here as they come to exist.

interop: setup ## conformance of the wire: others' suites, five gRPC stacks; wants Go, Node, JDK and Maven, cargo
	@H2SPEC_GRPCIO=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/interop $(PYTEST_ARGS)

crash: setup ## kill -9 while 32 callers track, then count; ROUNDS=50
	@CRASH_ROUNDS=$(or $(ROUNDS),50) $(BIN)/python -m pytest -s tests/e2e/test_crash.py

faults: setup ## every fault against the whole process, the long forms; KILLS=20 STOPPED_S=10
	@KILLS=$(or $(KILLS),20) STOPPED_S=$(or $(STOPPED_S),10) $(BIN)/python -m pytest -s tests/e2e/test_faults_*.py

soak: setup ## load, SIGKILL each 20 s and a failing destination: what is lost, does memory grow; SECONDS=600
	@$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),600)

wire-soak: setup ## peers that mean harm, then very many calls over the native wire: does memory grow; CALLS=10000000
	@WIRE_CALLS=$(or $(CALLS),10000000) $(BIN)/python -m pytest -s tests/transport/native/test_bad_days_*.py

swaps: setup ## swap the datafile under 16 callers; SWAPS=200
	@SWAPS=$(or $(SWAPS),200) $(BIN)/python -m pytest -s tests/e2e/test_swaps.py

conformance: setup ## the same steps in every client's language that is here, compared; ARGS='--language python'
	@$(BIN)/python -m clients.conformance $(ARGS)

differential: setup ## decide as optimizely-sdk does or say by which ruling not; N=20000 SEED=1 PROCESSES=2
	@$(BIN)/python -m tools.differential --cases $(or $(N),20000) --seed $(or $(SEED),1) --processes $(or $(PROCESSES),2)

mutations: setup ## damaged datafiles and requests; N=100000 of each
	@MUTATIONS=$(or $(N),100000) $(BIN)/python -m pytest -s tests/decision/test_mutated_datafiles.py tests/rpc/test_mutations.py

bucketing: setup ## shares of variations and independence of experiments; N=10000000 ids
	@$(BIN)/python -m bench.scale_engine --ids $(or $(N),10000000)

wheel: setup ## build the codec's wheel for other machines of this kind, into native/target/wheels
	@$(BIN)/maturin build --release --locked --manifest-path native/Cargo.toml --compatibility pypi \
		--interpreter $(BIN)/python --out native/target/wheels

lock: ## resolve requirements/*.txt anew; make lock LOCK_ARGS=--upgrade takes newer versions
	@$(LOCK) --group uv -o requirements/uv.txt
	@$(LOCK) --group gen -o requirements/gen.txt
	@$(LOCK) --group build -o requirements/build.txt
	@$(LOCK) pyproject.toml -o requirements/runtime.txt
	@$(LOCK) pyproject.toml --group dev -c requirements/runtime.txt -c requirements/build.txt \
		-o requirements/dev.txt

clean: ## remove .venv, caches and everything built
	@rm -rf .venv .venv-gen .cache build dist native/target .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
