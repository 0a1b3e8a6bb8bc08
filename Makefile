# Every target that builds first makes sure that libtorch is there (scripts/libtorch.sh: instant once cached).
# NO_LIBTORCH=1 leaves it and the training of neural models out: make NO_LIBTORCH=1 test

.DEFAULT_GOAL := help
.PHONY: help demo test build bench lint docs clean prerequisites

CARGO ?= cargo
DEMO := strategies/sp500_multi_scale_gru.toml

# One profile everywhere, so that libtorch's binding and polars are built once.
ifdef NO_LIBTORCH
PACKAGES := --workspace --no-default-features
DEMO := strategies/sp500_ridge.toml
CLI := -p tidegate-cli --no-default-features
prerequisites:
	@scripts/prerequisites.sh cargo c++
else
PACKAGES := --workspace
CLI := -p tidegate-cli
prerequisites:
	@scripts/prerequisites.sh cargo c++
	@scripts/libtorch.sh
endif

help: ## Show this help.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: prerequisites ## Train, backtest and report the demo experiment, out of sample and after costs.
	$(CARGO) run --release $(CLI) -- run $(DEMO)

test: prerequisites ## Run every test.
	$(CARGO) test --release --no-fail-fast $(PACKAGES)

build: prerequisites ## Build the `tidegate` binary.
	$(CARGO) build --release $(CLI)

bench: prerequisites ## Run the benchmarks (see benches/README.md).
	$(CARGO) bench $(PACKAGES) --bench '*'

lint: prerequisites ## Check formatting and lints, warnings denied.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release $(PACKAGES) --all-targets -- -D warnings

docs: prerequisites ## Build the API documentation, warnings denied.
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps $(PACKAGES)

clean: ## Remove build outputs; keeps the libtorch cache.
	$(CARGO) clean
