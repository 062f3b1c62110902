# make demo    set up and run the main job on the bundled crawl
# make test    set up and pass every check
# make wheel   build dist/bukvar-*.whl for any Linux with glibc 2.28
# make bench   measure against peers (needs BUKVAR_DATA and network for the peers' packages)
PYTHON ?= python3
VENV := .venv
WHEEL_VENV := .venv-wheel
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
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
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

# A wheel for any Linux with glibc 2.28 or later, whatever this machine's is: zig links against that version.
wheel: $(WHEEL_VENV)/.tools
	@echo "building the wheel (about five minutes the first time)"
	@PATH=$(abspath $(WHEEL_VENV))/bin:$$PATH CARGO_TARGET_DIR=target/wheel $(WHEEL_VENV)/bin/maturin build --release --locked \
		--zig --compatibility manylinux_2_28 --quiet --out dist
	@ls dist/*.whl

$(WHEEL_VENV)/.tools:
	@scripts/check-tools $(PYTHON)
	@echo "setting up: what builds a wheel"
	@$(PYTHON) -m venv $(WHEEL_VENV)
	@$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check maturin==1.16.0 ziglang==0.17.1
	@touch $@

# Names, versions and hashes for Python 3.11 to 3.13 on Linux, no index line; needs `pip install uv`.
lock:
	uv pip compile pyproject.toml --extra dev --extra s3 --extra fit --extra morphology --extra plots --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) $(WHEEL_VENV) target dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f rust_ext/*.so
