# The one door. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env lint unit integration demo demo-down demo-test molecule bench-site build test test-all clean

BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export ANSIBLE_HOME := $(CURDIR)/.ansible
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export MOLECULE_GLOB := molecule/*/molecule.yml
export MYPYPATH := $(CURDIR)/.ansible/collections

PROVIDER ?= haproxy
ENGINE ?= mariadb
PORT ?= 8080
SCENARIO ?= default
SCENARIOS := default debian12 mysql example

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: ## Set up the environment in .venv (pinned in requirements-dev.txt)
	@scripts/environment.sh

demo: env ## Build the stack on this machine: PROVIDER=haproxy|nginx ENGINE=mariadb|mysql PORT=8080
	ansible-playbook -i /dev/null webinfra.stack.demo \
	  -e demo_provider=$(PROVIDER) -e demo_engine=$(ENGINE) -e demo_http_port=$(PORT)

demo-down: env ## Remove the demo and nothing else
	ansible-playbook -i /dev/null webinfra.stack.demo_down

lint: env ## Everything that reads the code without running it
	scripts/lint.sh

unit: env ## Unit tests
	pytest

integration: env ## Contracts of the database modules against real servers
	pytest tests/integration

demo-test: ## What the demo must do, with either balancer, and what must break it
	$(MAKE) demo PROVIDER=haproxy
	pytest tests/acceptance
	scripts/install_test.sh
	$(MAKE) demo PROVIDER=nginx
	pytest tests/acceptance -m balancer
	$(MAKE) demo-down

molecule: env ## One scenario: SCENARIO=default|debian12|mysql|example
	molecule test --scenario-name $(SCENARIO)

bench-site: env ## Tasks, first and no-change time of site.yml on the demo's hosts
	scripts/bench_site.py

build: env ## The collection's tarball, in dist/
	ansible-galaxy collection build --force --output-path dist

test: env ## Everything that CI checks
	$(MAKE) lint
	$(MAKE) unit
	$(MAKE) demo-test
	$(MAKE) integration
	set -e; for scenario in $(SCENARIOS); do $(MAKE) molecule SCENARIO=$$scenario; done

test-all: test bench-site ## CI's checks and what takes too long for CI

clean: ## Remove what make created, but not the demo
	rm -rf .venv .ansible .cache dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
