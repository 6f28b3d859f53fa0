# The one door. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env lint unit check integration demo demo-down demo-test molecule bench-site bench-commits bench-lb bench-seed drill build test test-all clean

BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export ANSIBLE_HOME := $(CURDIR)/.ansible
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export MOLECULE_GLOB := molecule/*/molecule.yml
export MYPYPATH := $(CURDIR)/.ansible/collections

PROVIDER ?= haproxy
ENGINE ?= mariadb
PORT ?= 8080
BALANCERS ?= 1
SCENARIO ?= default
SUITE ?=
RUNS ?= 3
FAULTS ?=
# The longest first: two run at a time.
SCENARIOS := replication_mysql replication_mariadb debian12 default example

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: ## Set up the environment in .venv (pinned in requirements-dev.txt)
	@scripts/environment.sh

demo: env ## Build the stack on this machine: PROVIDER=haproxy|nginx ENGINE=mariadb|mysql PORT=8080 BALANCERS=1|2
	ansible-playbook -i /dev/null webinfra.stack.demo \
	  -e demo_provider=$(PROVIDER) -e demo_engine=$(ENGINE) -e demo_http_port=$(PORT) -e demo_balancers=$(BALANCERS)

demo-down: env ## Remove the demo and nothing else
	ansible-playbook -i /dev/null webinfra.stack.demo_down

lint: env ## Everything that reads the code without running it
	scripts/lint.sh

unit: env ## Unit tests
	scripts/rule_tools.sh
	pytest

integration: env ## Contracts of the database modules against real servers
	ansible-playbook -i /dev/null tests/integration/images.yml
	scripts/contract_tests.sh

# Each test finds the demo as the one before has left it, so the first failure is the one to read.
demo-test: ## What the demo must do, with either balancer, and what must break it
	scripts/interrupted_demo.sh PROVIDER=haproxy
	$(MAKE) demo PROVIDER=haproxy
	pytest --exitfirst tests/acceptance
	scripts/install_test.sh
	$(MAKE) demo PROVIDER=nginx
	pytest --exitfirst tests/acceptance -m balancer
	$(MAKE) demo-down

molecule: env ## One scenario: SCENARIO=default, or another folder of molecule/
	ENGINE=$(ENGINE) PROVIDER=$(PROVIDER) SUITE=$(SUITE) molecule test --scenario-name $(SCENARIO)

bench-site: env ## Tasks, first and no-change time of site.yml on the demo's hosts
	scripts/bench_site.py

build: env ## The collection's tarball, in dist/
	ansible-galaxy collection build --force --output-path dist

check: ## Linters and unit tests, side by side
	$(MAKE) --jobs=2 --output-sync=target lint unit

test: env ## Everything that CI checks
	$(MAKE) check
	$(MAKE) demo-test
	$(MAKE) integration
	ENGINE=$(ENGINE) scripts/scenarios.sh $(SCENARIOS)

bench-commits: env ## On the running demo: what it costs that a commit waits for a replica
	scripts/bench_commits.py

drill: env ## Drills on the hosts of the scenario drill: ENGINE=mariadb|mysql RUNS=3 FAULTS="switchover server_killed"
	scripts/drill.py --engine $(ENGINE) --runs $(RUNS) $(FAULTS)

bench-lb: env ## What a balancer costs: our configurations against the server itself and the distribution's
	scripts/bench_lb.py

bench-seed: env ## Time to seed 1 GB from a primary that takes writes: ENGINE=mariadb|mysql
	scripts/bench_seed.py --engine $(ENGINE)

test-all: test bench-site ## CI's checks and what takes too long for CI
	scripts/core_test.sh
	$(MAKE) molecule SCENARIO=load_balancer_haproxy
	$(MAKE) molecule SCENARIO=load_balancer_nginx
	$(MAKE) molecule SCENARIO=deploy PROVIDER=haproxy
	$(MAKE) molecule SCENARIO=deploy PROVIDER=nginx
	$(MAKE) molecule SCENARIO=virtual_ip PROVIDER=haproxy
	$(MAKE) molecule SCENARIO=virtual_ip PROVIDER=nginx
	$(MAKE) molecule SCENARIO=tls PROVIDER=haproxy
	$(MAKE) molecule SCENARIO=tls PROVIDER=nginx
	$(MAKE) molecule SCENARIO=firewall
	$(MAKE) molecule SCENARIO=hardening
	$(MAKE) molecule SCENARIO=telemetry PROVIDER=haproxy
	$(MAKE) molecule SCENARIO=telemetry PROVIDER=nginx ENGINE=mysql SUITE=bookworm
	$(MAKE) molecule SCENARIO=seed_existing_data ENGINE=mariadb
	$(MAKE) molecule SCENARIO=seed_existing_data ENGINE=mysql
	DRILLS=all $(MAKE) molecule SCENARIO=drill ENGINE=mariadb
	DRILLS=all $(MAKE) molecule SCENARIO=drill ENGINE=mysql

clean: ## Remove what make created, but not the demo
	rm -rf .venv .ansible .cache dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
