# make setup   everything into .venv (as root also bubblewrap, PostgreSQL and npm, through apt)
# make run     a campaign of three minutes, with its report in runs/
# make test    checks and tests
# make slow    the tests that take long: all attacks, the fuzzer, campaigns that are served or killed
# make check   ruff, mypy --strict, layers
# make crash   kills random processes of campaigns 100 times; prints what was lost (nothing)
# make bench   timings, also of Hugging Face's Trainer; prints ratios

PYTHON ?= python3
CONSTRAINTS ?= -c ci/constraints.txt
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := passive

.PHONY: setup base run test slow check crash bench

# The tests start a PostgreSQL of their own, and run agent clients; nothing else needs them.
setup: base
	@ci/postgresql.sh
	@ci/agents.sh $(VENV)/agents

base: $(VENV)/.ready
	@ci/sandbox.sh

$(VENV)/.ready: pyproject.toml ci/constraints.txt
	@ci/python.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '.[dev]'
	@touch $@

run: base
	$(BIN)/aar run

test: setup check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow

crash: setup
	$(BIN)/python -m tests.aar_host.fleet.crashes --kills 100

$(VENV)/.bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '.[bench]'
	@touch $@

bench: base $(VENV)/.bench
	PYTHONPATH=. $(BIN)/python benchmarks/run.py
