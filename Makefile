# Every target creates what it needs: Python 3.11 or newer and make are enough.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
UV := .uv/bin/uv
RUN := .venv/bin/python

ROUNDS ?= 20
SEED ?= 1
BROKERS ?= 3
SERVICES_ARGS ?=
SERVERS ?=
SECURE ?=
ONCE ?=
TARGET ?=
KAFKA ?=
SECONDS ?= 3600
RATE ?= 100
VERSION ?= $(shell git describe --tags --always --dirty)

.DEFAULT_GOAL := help
.PHONY: help setup demo replay-day test acl-test lint format docs rules servers crash crash-controls bench soak images compose-up compose-down compose-test \
	k8s-up k8s-down k8s-check k8s-golden k8s-test clean

help: ## Show what there is to make
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: .venv/.synced ## Install the locked dependencies into .venv

demo: .venv/.synced ## A day in Phetchabun on the four services, until Ctrl-C (ONCE=1, KAFKA=native or secure, TARGET=compose or k8s)
ifeq ($(TARGET),k8s)
	$(RUN) -m deploy.k8s.play --tag $(VERSION)
else
	$(if $(TARGET),deploy/local/$(TARGET).sh demo,$(RUN) -m deploy.local.demo $(if $(ONCE),--once) $(if $(KAFKA),--kafka $(KAFKA)))
endif

test: .venv/.synced ## Run all tests, on real servers that are fetched and started by themselves
	$(RUN) -m pytest $(ARGS)

acl-test: .venv/.synced ## Try on a real, secure Kafka what each user may do and may not (69: no Kafka here)
	$(RUN) -m tests.acl $(ARGS)

lint: .venv/.synced ## Check style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .venv/.synced ## Put the code into its standard form
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/.synced ## Write the generated pages, schemas and dashboards again
	$(RUN) -m shared.contracts
	$(RUN) -m shared.settings > docs/reference/settings.md
	$(RUN) -m shared.telemetry > docs/reference/metrics.md
	$(RUN) -m deploy.watch
	$(RUN) -m deploy.local.demo.users > deploy/k8s/components/kafka-users/users.yaml

replay-day: .venv/.synced ## A real city's day (RUAMJAI_CITY_DAY: its calls) against what really happened (KAFKA=native)
	$(RUN) -m tests.city $(if $(KAFKA),--kafka $(KAFKA)) $(ARGS)

rules: .venv/.synced ## Judge the alerting rules with promtool, which is built if need be
	$(RUN) -m tests.watch.promtool

servers: .venv/.synced ## Start Kafka and the store until Ctrl-C (SERVERS="--brokers 3", SECURE=1)
	$(RUN) -m deploy.local.servers $(if $(SECURE),--secure) $(SERVERS)

crash: .venv/.synced ## Break a running stream, then the four services, and judge what arrives (ROUNDS, SEED, BROKERS)
	$(RUN) -m tests.crash --rounds $(ROUNDS) --seed $(SEED) --brokers $(BROKERS) $(ARGS)
	$(RUN) -m tests.crash.services --seed $(SEED) $(SERVICES_ARGS)

crash-controls: .venv/.synced ## Break each guarantee on purpose and see the same judges go red
	$(RUN) -m tests.crash.controls $(ARGS)
	$(RUN) -m tests.crash.services.controls $(SERVICES_ARGS)

bench: .venv/.synced ## Measure against the baseline in the same run; a table, and JSON in build/bench.json
	$(RUN) -m tests.bench $(ARGS)

soak: .venv/.synced ## Load a whole system for hours and see whether memory stays flat (SECONDS, RATE)
	$(RUN) -m tests.bench.stream.soak --seconds $(SECONDS) --rate $(RATE) $(ARGS)

k8s-up: .venv/.synced ## Install the overlay local on the cluster of the current context, with Secrets made on the spot
	$(RUN) -m deploy.k8s.install --tag $(VERSION)

k8s-down: .venv/.synced ## Remove it, with everything that is in its namespace
	$(RUN) -m deploy.k8s.install --tag $(VERSION) --remove

k8s-check: .venv/.synced ## Render every overlay; golden copies, schemas, policies, promises (RUAMJAI_CRDS=folder)
	$(RUN) -m pytest tests/k8s $(ARGS)

k8s-golden: .venv/.synced ## Write the generated manifests and the golden copies again, after a change that is meant
	$(RUN) -m deploy.k8s
	$(RUN) -m tests.k8s.rendering

k8s-test: .venv/.synced ## The day on a cluster while pods die and workloads roll; staging and production dry-run
	$(RUN) -m tests.k8s --tag $(VERSION) $(ARGS)

images: ## Build ruamjai/<service>:<VERSION> and print their sizes (PYTHON_IMAGE, PACKAGE_INDEX from elsewhere)
	@VERSION=$(VERSION) deploy/images/build.sh

compose-up: images .venv/.synced ## Start everything in containers; then make demo TARGET=compose
	@VERSION=$(VERSION) deploy/local/compose.sh up

compose-down: ## Stop the containers and forget their data
	@deploy/local/compose.sh down

compose-test: images .venv/.synced ## Play and judge the day in containers of its own, and remove them
	@VERSION=$(VERSION) deploy/local/compose.sh test

clean: ## Remove what make has made in this checkout
	rm -rf .venv .uv build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.synced: uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --all-extras --quiet --python $(PYTHON)
	@touch $@

$(UV):
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
