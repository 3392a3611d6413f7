# Every target first makes .venv where it is missing or older than requirements.lock and pyproject.toml.
# A bare machine needs python3 (3.11 or later), make and git; no compiler, nothing installed by hand.

PYTHON ?= python3
WORKERS ?= 2
UPGRADE ?=

BIN := .venv/bin
READY := .venv/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# the lock is complete: pip has no version to choose, and no pip chooses another one
LOCKED := install --no-deps --only-binary :all: --require-hashes

# .venv remembers where its torch is from: TORCH is given once, and holds until another is given
SOURCE := .venv/torch_source
REMEMBERED := $(shell cat $(SOURCE) 2>/dev/null)
TORCH ?= $(REMEMBERED)
ifneq ($(TORCH),$(REMEMBERED))
MOVED := torch-moved
endif
LOCK := $(if $(TORCH),.venv/without_torch.lock,requirements.lock)
FROM := $(if $(TORCH),torch and torchvision come from $(TORCH),the first time downloads some 3 GB \
	(torch with its CUDA libraries; less with TORCH, see make help))
# what TORCH replaces, and what only the CUDA builds of torch need
PAIR := torch|torchvision
APART := $(PAIR)|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+

# prints how long the target ran, apart from the installation, and keeps its exit status
timed = @start=$$(date +%s); $(1); status=$$?; \
	echo "make $@: install $$(cat $(READY)) s (once), run $$(($$(date +%s) - start)) s"; exit $$status

SETS := mpii mpi_inf_3dhp coco slp lsp syrip

.PHONY: help demo test lint format report compare figures lock torch-moved

help:
	@echo "make demo     generate four unseen infants, predict, evaluate, draw: runs/demo"
	@echo "make test     all tests, with coverage"
	@echo "make lint     style, formatting, import layers and types"
	@echo "make format   rewrite the files as 'make lint' wants them"
	@echo "make report   report/report.md and .html from report/results/*.json"
	@echo "make compare  report/results/chain, ablation and calibration.json from runs/"
	@echo "make figures  the pictures of the README, into Images/"
	@echo "make lock     requirements.lock from pyproject.toml; UPGRADE=--upgrade takes newer versions"
	@echo
	@echo "make demo TORCH=WHERE takes torch and torchvision, in the versions of requirements.lock, from a"
	@echo "folder of wheels or an index of packages, such as PyTorch's for CPUs, and leaves out the CUDA"
	@echo "libraries (3 GB). Given once, it holds for every target, until another one is given: TORCH= is"
	@echo "the lock's own torch again."

$(READY): requirements.lock pyproject.toml $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	"error: $(PYTHON) is not Python 3.11 or later; name one that is: make PYTHON=python3.12"; exit 2; }
	@test -z '$(TORCH)' || test -d '$(TORCH)' || case '$(TORCH)' in *://*) ;; *) echo \
	"error: TORCH=$(TORCH) is neither a folder of wheels nor the address of an index; see make help"; exit 2; esac
	@echo "installing into .venv; $(FROM)"
	@rm -f $@ && mkdir -p .venv && date +%s > .venv/started
	@$(PYTHON) -m venv .venv
ifdef MOVED
	@$(PIP) --quiet uninstall --yes $$(sed -nE 's/^($(APART))[=[].*/\1/p' requirements.lock)
endif
ifneq ($(TORCH),)
	@# 2.10.0+cpu is 2.10.0, but another file: these two alone come without hashes
	@sed -nE 's/^(($(PAIR))==[^\\]*).*/\1/p' requirements.lock > .venv/torch.txt
	@awk '/^[a-z]/ {kept = !/^($(APART))[=[]/} kept' requirements.lock > $(LOCK)
	@$(PIP) install --no-deps --only-binary :all: -r .venv/torch.txt \
		$$(test -d '$(TORCH)' && echo --no-index -f || echo -i) '$(TORCH)'
endif
	@echo '$(TORCH)' > $(SOURCE)
	@$(PIP) $(LOCKED) -r $(LOCK)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@{ $(PIP) $(LOCKED) --dry-run --no-index -r $(LOCK) && $(BIN)/python -m pip check; } || { echo \
	"error: .venv is not what requirements.lock says; remove it and start again: rm -r .venv"; exit 1; }
	@echo $$(($$(date +%s) - $$(cat .venv/started))) > $@

demo: $(READY)
	$(call timed,$(BIN)/infantpose demo)

test: $(READY)
	$(call timed,$(BIN)/python -m pytest -n $(WORKERS) --cov)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

report: $(READY)
	$(BIN)/python -m report.build report/results --template report/template.md \
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
		--no-emit-find-links --no-header --no-strip-extras --extra synthetic --extra dev \
		pyproject.toml --output-file requirements.lock
