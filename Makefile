# Everything runs in .venv, made from requirements.lock; nothing else is needed but Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench quality picture lock clean

demo: .venv/installed
	$(BIN)/visawatch demo

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python -m benchmarks

# How well statements are read, beside spaCy and others: see docs/quality.md.
quality: .venv/installed .venv-quality/installed
	$(BIN)/python -m benchmarks.quality

# A short run, with the bars asserted; the full one is in docs/nights.md.
nights: .venv/installed
	$(BIN)/python -m benchmarks.nights --programs 40 --nights 12 --seed 1

picture: .venv/installed
	$(BIN)/python docs/picture.py

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# spaCy and medspaCy are there to be compared with, and are no dependency of ours.
.venv-quality/installed: requirements-quality.lock
	$(PYTHON) -m venv .venv-quality
	.venv-quality/bin/python -m pip install --quiet --require-hashes -r requirements-quality.lock
	touch $@

# After a change of pyproject.toml's dependencies: needs uv (https://docs.astral.sh/uv/).
lock:
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	printf 'medspacy\nnumpy<2\nsetuptools<81\nspacy\n' | uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-quality.lock

clean:
	rm -rf .venv .venv-quality build *.egg-info .pytest_cache .mypy_cache .ruff_cache
