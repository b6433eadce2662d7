# Duly. `make` alone lists what can be done.

PYTHON := .venv/bin/python
BY ?= 1d
unexport PYTHONDONTWRITEBYTECODE  # what one process has compiled, the others need not compile again
.DEFAULT_GOAL := help

.PHONY: help setup lock run stop reset clock demo test check fix bench package deploy openapi coverage-of-requirements

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-26s %s\n", $$1, $$2}'

setup: ## Build .venv and .venv-cloud from the locks (the others do it by themselves)
	@sh local/setup.sh

lock: setup ## Write the locks anew from requirements*.in
	@for each in requirements*.in; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-header --no-annotate $(LOCK) -o $${each%.in}.txt $$each || exit 1; \
	done

run: setup ## Run Duly here: pages, API, mailbox, local cloud; Ctrl-C stops it
	@$(PYTHON) -m local.run

stop: ## Stop a running Duly; its data stay
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m local.run stop; fi

reset: stop ## Stop and forget everything that `make run` has stored
	@rm -rf build/local

clock: setup ## Move the running Duly's clock on: make clock BY=3d (also h, m; BY=0 sets it right)
	@$(PYTHON) -m local.clock $(BY)

demo: setup ## Drive the whole story without a screen; leaves its papers in build/demo
	@$(PYTHON) -m local.demo

test: setup ## Run every test
	@$(PYTHON) -m local.browser
	@$(PYTHON) -m pytest -n 2 --dist loadgroup
	@if command -v node >/dev/null 2>&1; then node --test tests/site/*.test.mjs; \
		else echo "No node on this machine: the tests of the pages' scripts were left out."; fi

check: setup ## Look at style, types and architecture
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy --strict .
	@.venv/bin/lint-imports

fix: setup ## Put style right where a machine can
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: setup ## Measure, each figure beside its floor; writes build/bench.json
	@UV_LINK_MODE=copy .venv/bin/uv pip install --quiet --require-hashes --python $(PYTHON) \
		--target build/bench/libraries -r requirements-bench.txt
	@$(PYTHON) -m bench

package: STAGE ?= local
package: setup ## Build the package that is deployed, into build/package: make package STAGE=prod
	@$(PYTHON) -m infra.package --stage $(STAGE) --out build/package

deploy: setup ## Package and deploy: make deploy STAGE=prod PARAMETERS="SiteOrigin=https://… …"
	@test -n "$(STAGE)" || { echo "Which stage? make deploy STAGE=prod"; exit 2; }
	@$(PYTHON) -m infra.package --stage $(STAGE) --out build/package
	@$(PYTHON) -m infra.deploy --stage $(STAGE) --package build/package \
		$(foreach each,$(PARAMETERS),--parameter $(each))

openapi: setup ## Write docs/openapi.json from the routes
	@$(PYTHON) -m infra.openapi

coverage-of-requirements: setup ## List which requirements a test proves
	@$(PYTHON) -m tests.coverage_of_requirements
