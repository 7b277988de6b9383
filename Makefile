# Every target makes its own environment in .venv first, once; it is made anew when pyproject.toml
# changes, and with it the thread pool when its sources do. All paths are relative, so the project
# may lie in a folder with spaces in its name.

SHELL := bash
PYTHON ?= python3
# Of pyproject.toml; `pytorch`, `opencl` and `oclgrind` are big: only who uses them and CI, which skips
# no test, install them.
comma := ,
EXTRAS ?= dev,bench$(if $(filter true,$(CI)),$(comma)pytorch$(comma)opencl$(comma)oclgrind)
BIN := .venv/bin
STAMP := .venv/installed
BUILD := build
TIMED := .ci/timed
NATIVE := setup.py $(wildcard backends/cpu/runtime/*.cc backends/cpu/runtime/*.h)

.PHONY: help demo test test-lit test-unit check-models check-runtime fuzz lint format types docs check-docs clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(STAMP) ## classify handwritten digits, then compile ResNet-50 and time it beside ONNX Runtime
	$(BIN)/python examples/digits/demo.py
	$(BIN)/python -m benchmarks.models resnet50 --bn-stats --out $(BUILD)/models
	$(BIN)/lamina bench $(BUILD)/models/resnet50.onnx --against onnxruntime --threads 1

test: test-lit test-unit ## every test but the whole models; under ten minutes on two cores

test-lit: $(STAMP)
	$(TIMED) lit $(BIN)/lit -sv tests/lit
	$(TIMED) "lit, mutated" $(BIN)/lit -sv -Dmutate=1 tests/lit/passes # a pass that does nothing must fail its file

test-unit: $(STAMP)
	$(TIMED) unit $(BIN)/pytest -q -n 2 -m "not alone" tests/unit
	$(TIMED) "unit, alone" $(BIN)/pytest -q -m alone tests/unit # these measure time

check-models: $(STAMP) ## whole networks beside ONNX Runtime, and the tests of the onnx package
	$(TIMED) models $(BIN)/pytest -q tests/models --ignore=tests/models/test_onnx_backend.py
	$(TIMED) "onnx package" $(BIN)/pytest -q tests/models/test_onnx_backend.py

check-runtime: $(STAMP) ## the thread pool's own tests in C++, also under ThreadSanitizer and AddressSanitizer
	$(TIMED) "runtime" $(BIN)/pytest -q tests/runtime

fuzz: $(STAMP) ## try thousands of random graphs, for hours; not part of any other target
	$(BIN)/pytest -q --hypothesis-profile=long tests/unit/test_random_graphs.py

lint: $(STAMP) ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(STAMP) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## write docs/dialects.md, docs/passes.md and docs/onnx.md anew from the code
	$(BIN)/python -m lamina.tools.docs
	$(BIN)/python -m lamina.tools.onnx_support

check-docs: $(STAMP) ## fail if the generated documentation is not what the code says
	$(BIN)/python -m lamina.tools.docs --check

clean: ## remove everything that was built, the environment too
	rm -rf .venv $(BUILD)

$(STAMP): pyproject.toml $(NATIVE)
	@for python in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done || { echo "lamina needs Python 3.11 or newer, found $$("$(PYTHON)" --version 2>&1):" \
	  "install python3.11 and python3.11-venv, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$python" -c 'import venv, ensurepip' 2>/dev/null || { echo "lamina needs the module venv" \
	  "of $$python, which is missing: install the package python3-venv" >&2; exit 1; }; \
	echo "making .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]' && \
	touch $(STAMP)
