# The front door. Each target says what it does in `make help`; the work is in scripts/.
#
# What can be set: PREFIX and DESTDIR (install), REVISION (deb), JOBS (compilers at once),
# SECONDS_EACH and SEED (fuzz), YES=1 (install packages without being asked), NO_INSTALL=1 (never
# install packages), BENCH and SOAK (flags of bench/bench.py and bench/soak.py, as in make bench
# BENCH=--quick), CASES (files for conformance), CONFORMANCE_CASES (a folder of more of them, played
# by test).

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
export JOBS YES NO_INSTALL BENCH SECONDS_EACH REVISION

.DEFAULT_GOAL := help
.PHONY: help build demo test conformance coverage dashboard bench soak fuzz install deb format lint clean

help: ## what can be made (this list)
	@echo "Headroom: a service that breathes with its traffic. Targets:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

build: ## the program, in build/release/src/headroom
	@scripts/packages.sh build
	@scripts/build.sh release headroom

demo: ## a service from zero to several replicas and back, under real load (about a minute)
	@scripts/packages.sh build
	@scripts/build.sh release headroom cpp-service headroom-load
	@scripts/demo.sh

test: ## every test: release, address and thread sanitizers, fuzzers
	@scripts/packages.sh build test deb
	@scripts/test.sh

conformance: ## answers beside upstream's own, case by case (CASES='F1 F2 …': those files)
	@scripts/packages.sh build test
	@scripts/conformance.sh $(CASES)

coverage: ## what of the pure rooms the tests reach: lines and branches, and the lines they do not
	@scripts/packages.sh build test
	@scripts/coverage.sh

dashboard: ## dashboard/dist from its sources (needs Node; nobody who builds or uses Headroom does)
	@scripts/packages.sh test
	@scripts/dashboard.sh build

bench: ## CPU per request beside HAProxy and nginx, from zero, reaction, footprint
	@scripts/packages.sh build bench
	@scripts/build.sh release
	@scripts/bench.sh

soak: ## a million requests through scaling, kills and reloads: none may be lost
	@scripts/packages.sh build bench
	@scripts/build.sh release headroom cpp-service headroom-load
	@bench/soak.py $(SOAK)

fuzz: ## each fuzzer for SECONDS_EACH seconds (default 60); the same inputs again with SEED=1
	@scripts/packages.sh build test
	@scripts/fuzz.sh

install: ## into $(DESTDIR)$(PREFIX): the program, stripped, its manual, the completions
	@scripts/packages.sh build
	@scripts/build.sh release headroom
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install.sh

deb: ## the Debian package, in build/deb: program, unit, manual, completions, alerts
	@scripts/packages.sh build deb
	@scripts/build.sh release headroom
	@scripts/deb.sh

format: ## clang-format over all sources
	@scripts/packages.sh test
	@find src tests examples bench \( -name '*.cpp' -o -name '*.h' \) -print0 | xargs -0 clang-format -i

lint: ## clang-format's and clang-tidy's opinion, without changes
	@scripts/packages.sh build test
	@scripts/lint.sh

clean: ## removes build/
	rm -rf build
