# Two commands are enough to start: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11, 3.12 or 3.13, git and make; works with GNU make 3.81 and later.

VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements
UV_VERSION := 0.13.9
PARADEX_PY := 0.8.2

PYTHON ?= $(firstword $(shell .ci/pythons))
SOURCES := engine cli.py tests benchmarks

# The demo is the sample fleet of this clone, whatever the caller's shell says.
demo demo-stop: export BOTCTL_WORKSPACE := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop test lint format matrix bench oracles chaos fire soak fuzz lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 12

# Environment ------------------------------------------------------------------------------------------------

$(VENV)/.created:
	@test -n "$(PYTHON)"  # .ci/pythons has said what is missing
	@echo "Creating $(VENV) with $(PYTHON)"
	@rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created $(LOCKS)/runtime.lock pyproject.toml
	@echo "Installing what $(LOCKS)/runtime.lock pins"
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(LOCKS)/runtime.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(LOCKS)/dev.lock $(VENV)/.runtime
	@echo "Installing what $(LOCKS)/dev.lock pins"
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(LOCKS)/dev.lock
	@touch $@

$(VENV)/.judges: $(LOCKS)/paradex-py.lock .ci/paradex-py $(VENV)/.development
	@.ci/paradex-py $(VENV)/paradex-py
	@touch $@

# For people -------------------------------------------------------------------------------------------------

demo: $(VENV)/.runtime  ## run the sample fleet on four simulated venues
	$(BIN)/botctl validate
	$(BIN)/botctl plan
	$(BIN)/botctl apply --yes
	$(BIN)/botctl status --wait
	@echo
	@echo 'The sample fleet is trading on four simulated venues. Try next:'
	@echo '  $(BIN)/botctl status            what runs, rests and was filled'
	@echo '  $(BIN)/botctl logs sol-spot     what a bot did, and why'
	@echo '  change spread_bps in bots/sol-spot.yaml, then'
	@echo '  $(BIN)/botctl plan              what that would do; $(BIN)/botctl apply does it'
	@echo '  make demo-stop                  cancel own orders, end every process'

demo-stop: $(VENV)/.runtime  ## stop the sample fleet: own orders cancelled, processes ended
	$(BIN)/botctl down

test: lint $(VENV)/.judges  ## format, lint, types, layers and the whole suite; reports/ holds JUnit and HTML
	$(BIN)/python -m pytest -n 4 \
	    --junitxml=reports/junit.xml --html=reports/report.html --self-contained-html

lint: $(VENV)/.development  ## format, lint, types and layers, changing nothing
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.development  ## format the sources and sort their imports
	$(BIN)/ruff check --select I --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.development  ## footprint, tick-to-order, signing and apply figures of this machine
	$(BIN)/python -m benchmarks.footprint
	$(BIN)/python -m benchmarks.tick_to_order
	$(BIN)/python -m benchmarks.signing
	$(BIN)/python -m benchmarks.apply
	$(BIN)/python -m benchmarks.thousand

oracles: $(VENV)/.development  ## identities and published figures the engine must meet, in full
	$(BIN)/python -m benchmarks.oracles.grid_identity
	$(BIN)/python -m benchmarks.oracles.glft
	$(BIN)/python -m benchmarks.oracles.avellaneda_stoikov

SEEDS ?= 300
FROM ?= 0
OF ?=

chaos: $(VENV)/.development  ## seeded stories of trouble, none of which may cost money: SEEDS=n, go on at FROM=n, OF=aimed|lighter
	$(BIN)/python -m tests.chaos --from $(FROM) --seeds $(SEEDS) $(if $(OF),--of $(OF))

SOAK_S ?= 600

soak: $(VENV)/.development  ## the sample fleet in virtual time: every profit is the ledger's, memory is bounded: SOAK_S=n
	$(BIN)/python -m tests.soak --seconds $(SOAK_S)

ROUNDS ?= 84
SEED ?= 0

fire: $(VENV)/.development  ## real processes killed, frozen, cut off, out of disk: ROUNDS=n SEED=m; full disk takes root
	$(BIN)/python -m tests.fire --seed $(SEED) --rounds $(ROUNDS)

FUZZ_S ?= 60
ATHERIS := atheris==3.0.0

fuzz: $(VENV)/.development  ## decoders fuzzed by coverage, where atheris has a wheel: FUZZ_S=n
	@$(BIN)/python -m pip install --quiet --only-binary :all: '$(ATHERIS)' || true
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_S)

# For maintainers --------------------------------------------------------------------------------------------

matrix:  ## the wheel and the suite on every supported Python that is present
	@pythons=`.ci/pythons` && for python in $$pythons; do \
	    .ci/matrix $$python || exit 1; \
	done

# One resolution holds botctl with all its extras and tools; the other two locks are parts of it.
RESOLVE = UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-annotate pyproject.toml

lock: $(VENV)/.created  ## resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(RESOLVE) --upgrade --all-extras --group dev --output-file $(LOCKS)/all.lock
	$(RESOLVE) --constraint $(LOCKS)/all.lock --all-extras --group build --output-file $(LOCKS)/runtime.lock
	$(RESOLVE) --constraint $(LOCKS)/all.lock --all-extras --group dev --output-file $(LOCKS)/dev.lock
	echo 'paradex-py==$(PARADEX_PY)' | UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --upgrade \
	    --python-version 3.10 --generate-hashes --no-annotate - --output-file $(LOCKS)/paradex-py.lock

clean:  ## remove what can be made again; running bots and their state stay
	rm -rf $(VENV) reports dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find engine tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
