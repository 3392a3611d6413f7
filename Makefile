# Every target first makes .venv where it is missing or older than requirements.lock and pyproject.toml.
# A bare machine needs python3 (3.11 or later), make and git; no compiler, nothing installed by hand.

PYTHON ?= python3
WORKERS ?= 2
UPGRADE ?=

BIN := .venv/bin
READY := .venv/installed

# prints how long the target ran, apart from the installation, and keeps its exit status
timed = @start=$$(date +%s); $(1); status=$$?; \
	echo "make $@: install $$(cat $(READY)) s (once), run $$(($$(date +%s) - start)) s"; exit $$status

SETS := mpii mpi_inf_3dhp coco slp lsp syrip

.PHONY: help demo test lint format report compare figures lock

help:
	@echo "make demo     generate two unseen infants, predict, evaluate, draw: runs/demo"
	@echo "make test     all tests, with coverage"
	@echo "make lint     style, formatting and import layers"
	@echo "make format   rewrite the files as 'make lint' wants them"
	@echo "make report   report/report.md and .html from report/results/*.json"
	@echo "make compare  report/results/chain, ablation and calibration.json from runs/"
	@echo "make figures  the pictures of the README, into Images/"
	@echo "make lock     requirements.lock from pyproject.toml; UPGRADE=--upgrade takes newer versions"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	"error: $(PYTHON) is not Python 3.11 or later; name one that is: make PYTHON=python3.12"; exit 2; }
	@echo "installing into .venv; the first time downloads some 3 GB (torch with its CUDA libraries)"
	@start=$$(date +%s); \
	$(PYTHON) -m venv .venv && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
		--require-hashes -r requirements.lock && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable . && \
	echo $$(($$(date +%s) - start)) > $@

demo: $(READY)
	$(call timed,$(BIN)/infantpose demo)

test: $(READY)
	$(call timed,$(BIN)/python -m pytest -n $(WORKERS) --cov)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

report: $(READY)
	$(BIN)/python -m PoseEstimation.evaluation.summary report/results --template report/template.md \
		--output report --pictures Images --into README.md SavedModels/*/MODEL_CARD.md

# the runs that report/compare/*.yaml name must lie under runs/: see README, "Generate, train, evaluate"
compare: $(READY)
	for name in chain ablation calibration; do \
		$(BIN)/infantpose compare report/compare/$$name.yaml --output runs/compare/$$name && \
		cp runs/compare/$$name/compare.json report/results/$$name.json || exit 1; done

figures: $(READY)
	$(BIN)/infantpose demo --frames 60 --output runs/figures
	$(BIN)/infantpose render mini_rgbd --root runs/figures/data --output Images
	cp runs/figures/figure_3d.png Images/demo_3d.png
	rm -rf $(addprefix runs/figures/,$(SETS) cache)
	for name in mpii coco lsp syrip; do \
		$(BIN)/infantpose synth --profile $$name --frames 24 --output runs/figures/$$name || exit 1; done
	$(BIN)/infantpose synth --profile mpi_inf_3dhp --sequences 3 --frames 10 --output runs/figures/mpi_inf_3dhp
	$(BIN)/infantpose synth --profile slp --sequences 5 --frames 3 --output runs/figures/slp
	for name in $(SETS); do $(BIN)/infantpose render $$name --root runs/figures/$$name --output Images \
		--set paths.cache=$(CURDIR)/runs/figures/cache || exit 1; done

# the tool that resolves is not a dependency of the project: it gets an environment of its own
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet $(UPGRADE) --universal --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra synthetic --extra dev \
		pyproject.toml --output-file requirements.lock
