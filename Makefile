# The front door. Every target does its own set-up, and skips what is done already.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PYTHON ?= python3
BIN := .venv/bin
WHEN_CHANGED := scripts/when-changed

BUILD_PACKAGES := c++:g++ cmake ninja-build pkg-config ccache libwebsockets-dev libsqlite3-dev libhiredis-dev \
  nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libspdlog-dev libfmt-dev libssl-dev libcurl4-openssl-dev zlib1g-dev
DEV_PACKAGES := libgtest-dev xz:xz-utils redis-server
TEST_PACKAGES := node:nodejs npm:npm chromium libfaketime postgresql rabbitmq-server haproxy nginx curl
CLANG_PACKAGES := clang-19 libclang-rt-19-dev
LINT_PACKAGES := $(CLANG_PACKAGES) clang-tidy-19 clang-format-19

PACKAGE_SOURCES := pyproject.toml CMakeLists.txt CMakePresets.json cmake core bindings python feeds web
PYTHON_FOR_CMAKE := -DTICKWIRE_BINDINGS=ON -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
CXX_FILES = $(shell find core bindings bench tests/core tests/sim tests/fuzz -name '*.cc' -o -name '*.h')

.PHONY: help setup venv venv-build venv-dev venv-coverage page-tools configure install install-release install-system build build-clang demo cluster-demo \
  test test-asan test-tsan coverage coverage-core coverage-client sim crash attack fuzz bench lint lint-cpp lint-python \
  lint-web format wheel web-bundle web-package docs pictures clean

help: ## this list
	@sed -nE 's/^([a-z -]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 40

setup: venv page-tools ## packages, .venv and npm tools, without building
	@scripts/apt-install $(LINT_PACKAGES)

venv-build venv-dev venv-coverage: venv-%:
	@scripts/apt-install $(BUILD_PACKAGES)
	@$(WHEN_CHANGED) .venv/.stamp-$* pyproject.toml scripts/make-venv -- scripts/make-venv $*

venv: venv-dev ## packages and .venv, without building
	@scripts/apt-install $(DEV_PACKAGES)

page-tools:
	@scripts/apt-install $(TEST_PACKAGES)
	@$(WHEN_CHANGED) tests/page/node_modules/.stamp tests/page/package-lock.json -- npm ci --prefix tests/page --silent --no-fund --no-audit
	@$(WHEN_CHANGED) tests/page/node_modules/.stamp-vendor tests/page/package-lock.json scripts/vendor-charts -- scripts/vendor-charts

configure: venv
	@$(WHEN_CHANGED) build/dev/.configured CMakePresets.json .venv/.made -- cmake --preset dev $(PYTHON_FOR_CMAKE)

install: configure
	@$(WHEN_CHANGED) build/dev/.installed $(PACKAGE_SOURCES) .venv/.made -- scripts/install-dev

build: install ## everything, and tickwire installed in .venv
	@cmake --build --preset dev

install-release: venv-build
	@$(WHEN_CHANGED) build/.installed-release $(PACKAGE_SOURCES) .venv/.made -- scripts/install-release

# The daemon for a whole machine, without Python: it outlives every environment, and runs no plugins.
PREFIX ?= /usr/local
install-system: venv-build ## tickwired, its unit, man pages and completion under DESTDIR and PREFIX=/usr/local
	@cmake --preset system >/dev/null
	@cmake --build --preset system
	@DESTDIR=$(abspath $(DESTDIR)) cmake --install build/system --component system --prefix $(PREFIX) --strip

LISTEN ?= 127.0.0.1:8080
# A checkout that is built for development has tickwire installed already.
demo: $(if $(wildcard build/dev/.installed),install,install-release) ## a plant with made-up prices, and its page; LISTEN=host:port
	@$(BIN)/tickwire serve --demo --listen $(LISTEN)

cluster-demo: install page-tools ## three servers on one Redis behind HAProxy, and their page; PORT=8080 and the next four
	@scripts/cluster-demo $(or $(PORT),8080)

test: page-tools build ## every test; ARGS=... for pytest
	@ctest --preset dev
	@scripts/slowest-tests build/dev
	@$(BIN)/pytest -n 4 --dist loadfile --durations=10 $(ARGS)

# clang's build serves the sanitizers, and lint by its warnings.
build-clang: venv
	@scripts/apt-install $(LINT_PACKAGES)
	@cmake --preset asan $(PYTHON_FOR_CMAKE) >/dev/null
	@cmake --build --preset asan

test-asan: build-clang ## the C++ tests under the address and undefined behaviour sanitizers
	@ctest --preset asan

test-tsan: venv ## the C++ tests under the thread sanitizer
	@cmake --workflow --preset tsan

# RECORD=1 makes what is measured the new baseline.
CHECK_COVERAGE = $(BIN)/python scripts/check_coverage.py tests/coverage.json
RECORDING := $(if $(RECORD),--record)
coverage: coverage-core coverage-client ## branch coverage of core/ and of the Python client; RECORD=1: new baseline

# The unit tests, and the simulation from one seed. Branches that only exceptions take are not counted.
coverage-core: venv venv-coverage
	@cmake --preset coverage >/dev/null
	@cmake --build --preset coverage
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage
	@build/coverage/tests/sim/sim --seed 1 --runs 20 --hash-key 1
	@$(BIN)/gcovr --root . --filter core/ --exclude-throw-branches --exclude-unreachable-branches \
	  --json-summary build/coverage/summary.json build/coverage
	@$(CHECK_COVERAGE) core build/coverage/summary.json $(RECORDING)

# Tests of commands run the client in other processes, where it is not measured.
NOT_OF_CLIENT := bench check cli docs first_steps outputs terminal top
coverage-client: install venv-coverage
	@mkdir -p build/coverage-client
	@$(BIN)/coverage run -m pytest -q tests/client $(patsubst %,--ignore-glob='*/test_%*.py',$(NOT_OF_CLIENT))
	@$(BIN)/coverage json -q
	@$(CHECK_COVERAGE) client build/coverage-client/summary.json $(RECORDING)

SECONDS ?= 60
sim: build ## the simulated plant and cluster, each for SECONDS=60
	@build/dev/tests/sim/sim --seconds $(SECONDS)
	@build/dev/tests/sim/sim --cluster --seconds $(SECONDS)

crash: build ## kill the server N=200 times under load, and see what is left
	@$(BIN)/python tests/crash/run.py --rounds $(or $(N),200)

attack: install ## N=100000 malformed sessions and every flood, with clients that must not notice
	@$(BIN)/python tests/attack/run.py --sessions $(or $(N),100000)

# TARGETS="command topic" runs only these.
fuzz: venv ## each fuzz target for SECONDS=60
	@scripts/apt-install $(CLANG_PACKAGES)
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz
	@scripts/fuzz $(SECONDS) $(TARGETS)

bench: install page-tools ## the benchmarks against their baselines
	@$(WHEN_CHANGED) build/.bench-pythons $(PACKAGE_SOURCES) scripts/bench-pythons -- scripts/bench-pythons || true
	@cmake --preset release $(PYTHON_FOR_CMAKE)
	@cmake --build --preset release
	@$(BIN)/python bench/run.py $(ARGS)

lint: lint-cpp lint-python lint-web ## formatters, clang's and gcc's warnings, clang-tidy, ruff, mypy, eslint, tsc

lint-cpp: build build-clang
	@clang-format-19 --dry-run --Werror $(CXX_FILES)
	@cmake --preset tidy $(PYTHON_FOR_CMAKE) >/dev/null
	@cmake --build --preset tidy
	@$(BIN)/python scripts/clang_tidy.py build/tidy

lint-python: venv
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check
	@$(BIN)/mypy

lint-web: page-tools
	@tests/page/node_modules/.bin/eslint --config tests/page/eslint.config.js web tests/page examples scripts/*.mjs
	@tests/page/node_modules/.bin/tsc --project tests/page
	@node scripts/web_package.mjs check

format: venv ## rewrite C++ and Python in the house style
	@scripts/apt-install $(LINT_PACKAGES)
	@clang-format-19 -i $(CXX_FILES)
	@$(BIN)/ruff check -q --fix
	@$(BIN)/ruff format -q

wheel: venv page-tools ## a self-contained wheel in dist/
	@$(WHEN_CHANGED) dist/.stamp $(PACKAGE_SOURCES) scripts/make-wheel -- scripts/make-wheel

web-bundle: page-tools ## web/ as one ES module and one classic script with their SRI hashes, in build/web/dist/
	@node scripts/web_package.mjs write build/web

web-package: page-tools ## the npm package tickwire, in dist/
	@mkdir -p dist
	@cd web && npm pack --silent --pack-destination ../dist

docs: install page-tools ## the API reference, for Python and for the browser, in build/docs/
	@scripts/make-docs build/docs

pictures: install page-tools ## take the pictures of README.md, docs/ and examples/ again
	@$(BIN)/python scripts/page_picture.py docs
	@$(BIN)/python scripts/example_pictures.py examples

clean: ## remove what was built
	@rm -rf build dist .venv web/dist web/types web/vendor tests/page/node_modules .pytest_cache .mypy_cache .ruff_cache
