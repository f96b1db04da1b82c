# call-router. `make run` needs Debian 12, python3 (3.11 or newer) and make, nothing else.
# Settings are given on the command line: make run PORT=9080
PYTHON ?= python3
BOOTSTRAP = $(PYTHON) scripts/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help run call live test vectors lint bench doctor clean docker-check

help: ## this text
	@echo "call-router: which advertisement made the phone ring"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "settings, with examples: PORT=9080  NUMBER=+74951350101  CALLER=+79161234567  ONCE=1"
	@echo "  VECTORS=/path/of/a/folder"
	@echo "  DEBIAN_MIRROR=http://mirror.example/debian  ASTERISK_SUITE=sid  DEBIAN_REFUSE_EXPIRED=1"
	@echo "  CALL_ROUTER_CACHE=/var/cache/call-router (unpacked packages shared by checkouts)"

run: ## everything at once in the foreground: PostgreSQL, Asterisk, router, demo site, one real call
	@$(BOOTSTRAP) run

call: ## a real call with audio to the number on the demo page; prints the finished record
	@$(BOOTSTRAP) call

live: ## a fresh one-time link to the live page of what `make run` runs
	@$(BOOTSTRAP) live

test: ## all tests: units, PostgreSQL, real Asterisk and SIPp, a real browser
	@$(BOOTSTRAP) test $(ARGS)

vectors: ## test vectors through the functions that serve visitors (VECTORS=folder; the copies in tests/)
	@$(BOOTSTRAP) vectors $(if $(VECTORS),"$(VECTORS)")

lint: ## formatter, linter, types and layers
	@$(BOOTSTRAP) lint

bench: ## measures against baselines, in one run: call set-up, FastAGI, number API (ARGS="calls web")
	@$(BOOTSTRAP) bench $(ARGS)

doctor: ## what is missing on this machine or in this instance, and how to mend it
	@$(PYTHON) -m router.firstrun.doctor

clean: ## removes everything the other targets made (refused while it runs)
	@$(PYTHON) -m router.firstrun.clean

docker-check: ## builds and starts docker/compose.yaml for real
	@docker/check.sh
