# make demo    set up and run the main job on the bundled crawl
# make test    set up and pass every check
# make bench   measure against peers (needs BUKVAR_DATA and network for the peers' packages)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo

.PHONY: demo setup test test-slow lint bench wheel lock clean help

help:
	@sed -n 's/^# make/make/p' Makefile

demo: setup
	@$(BIN)/bukvar run pipelines/recipes/demo.toml --out $(OUT)

setup: $(VENV)/.extension

# Locked packages, by name, version and hash.
$(VENV)/.packages: requirements.lock
	@scripts/check-tools $(PYTHON)
	@echo "setting up: Python packages"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The Rust extension, in place; cargo rebuilds what changed.
RUST := $(shell find rust_ext -name '*.rs' -o -name Cargo.toml -o -name '*.txt' 2>/dev/null) Cargo.toml Cargo.lock
$(VENV)/.extension: $(VENV)/.packages $(RUST) pyproject.toml
	@scripts/check-tools $(PYTHON)
	@echo "setting up: Rust extension (a few minutes the first time)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --locked --quiet >$(VENV)/build.log 2>&1 || { tail -n 40 $(VENV)/build.log >&2; exit 1; }
	@touch $@

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cargo fmt --all --check
	cargo clippy --profile quick --locked --workspace --all-targets --all-features --quiet -- -D warnings

# A fixed seed: what passed here passes there. Other seeds: PROPTEST_RNG_SEED=... cargo test --profile quick --workspace
test: lint
	PROPTEST_RNG_SEED=1 cargo test --profile quick --locked --workspace --quiet
	$(BIN)/pytest -q

test-slow: setup
	$(BIN)/pytest -q -m slow

bench: setup
	$(BIN)/python -m pip install --quiet -r tests/bench/requirements.txt
	cargo build --release --locked --quiet -p bukvar-warc --example inflate
	cargo build --release --locked --quiet --manifest-path tests/bench/peers/Cargo.toml
	$(BIN)/python -m tests.bench

wheel: setup
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin build --release --locked --out dist

# Names, versions and hashes for Python 3.11 to 3.13 on Linux, no index line; needs `pip install uv`.
lock:
	uv pip compile pyproject.toml --extra dev --extra s3 --extra fit --extra morphology --extra plots --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) target dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f rust_ext/*.so
