"""Recipes, chains and protocols, a row each, free of torch; everything else reads these rows.

A row of ``RECIPES`` is a section of config.yaml, a word of ``infantpose train`` and a stage that
chains may have. To add a recipe: its settings, a dataclass; the function that runs it, a file in
``training/``; and its row here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from Engine.settings import Settings
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    CollectSettings,
    DetectionCacheSettings,
    GenerateSettings,
    PhotoScoreSettings,
    ScoreSettings,
    SelfLabelSettings,
)


@dataclass(frozen=True)
class Recipe:
    """A run that files and settings decide: it trains a network, or makes or measures something.

    Attributes:
        name: its section of config.yaml, and what ``infantpose train`` and messages call it.
        settings: class of that section; no two recipes share one.
        function: "module:function" of (settings, output folder) to what is worth recording; of one
            that trains, of (settings, output folder, resume) to a ``FitSummary``.
        product: file that it makes in its folder; empty where it makes several.
    """

    name: str
    settings: type[Settings]
    function: str
    product: str = ""

    @property
    def trains(self) -> bool:
        """Whether it has a training loop, which a time limit may end and a checkpoint resumes."""
        return "trainer" in self.settings.__dataclass_fields__

    def run(self, settings: Settings, output: Path, resume: bool = True) -> dict[str, Any]:
        """Run it; returns how training ended, or what was made or measured.

        Raises:
            DataError: data or files are missing or damaged.
        """
        function = resolve_name(self.function)
        if self.trains:
            return dataclasses.asdict(function(settings, output, resume))
        return dict(function(settings, output))


_HERE = "PoseEstimation"

RECIPES = (
    Recipe(
        "detector",
        DetectorSettings,
        "FasterRCNN.train:train_detector",
        "detector.safetensors",
    ),
    Recipe(
        "rescoring",
        RescoringSettings,
        "FasterRCNN.train_rescoring:train_rescoring",
        "detector.safetensors",
    ),
    Recipe(
        "heatmap",
        HeatmapSettings,
        f"{_HERE}.training.heatmap:train_heatmap",
        "heatmap.safetensors",
    ),
    Recipe(
        "lifting",
        LiftingSettings,
        f"{_HERE}.training.lifting:train_lifting",
        "lifter.safetensors",
    ),
    Recipe(
        "clip_lifting",
        ClipLiftingSettings,
        f"{_HERE}.training.clip_lifting:train_clip_lifting",
        "lifter.safetensors",
    ),
    Recipe(
        "generate",
        GenerateSettings,
        f"{_HERE}.training.generate:generate_data",
    ),
    Recipe(
        "detection_cache",
        DetectionCacheSettings,
        f"{_HERE}.training.detection_cache:cache_detections",
        "observed.npz",
    ),
    Recipe(
        "calibrate",
        CalibrationSettings,
        f"{_HERE}.training.calibrate:calibrate",
    ),
    Recipe(
        "self_label",
        SelfLabelSettings,
        f"{_HERE}.training.self_label:self_label",
        "labels.npz",
    ),
    Recipe(
        "score",
        ScoreSettings,
        f"{_HERE}.evaluation.cached:score_detections",
        "errors.npz",
    ),
    Recipe(
        "photo_score",
        PhotoScoreSettings,
        f"{_HERE}.evaluation.photo_score:score_photos",
        "metrics.json",
    ),
    Recipe(
        "collect",
        CollectSettings,
        f"{_HERE}.export.weight_set:collect",
    ),
)


def recipe_of(settings: Settings) -> Recipe:
    """The recipe that settings belong to."""
    return next(row for row in RECIPES if row.settings is type(settings))


@dataclass(frozen=True)
class Chain:
    """A chain that comes with the product.

    Attributes:
        name: what ``infantpose train chain --recipe`` calls it.
        stages: "module:function" of (folder, paths of config.yaml) to its stages.
    """

    name: str
    stages: str


CHAINS = (
    Chain("ellershaw", f"{_HERE}.chains.ellershaw:ellershaw"),
    Chain("best", f"{_HERE}.chains.best:best"),
    Chain("real", f"{_HERE}.chains.real:real"),
)


@dataclass(frozen=True)
class Protocol:
    """A published protocol, or a measure of our own, that ``infantpose evaluate`` runs.

    Attributes:
        name: on the command line; also the data set, unless ``data`` names another.
        function: "module:function" of the predictor, or of the file of one network where there is a
            ``role``, then by name ``root``, ``split``, ``output``, ``command`` and its ``options``;
            it writes ``metrics.json`` and returns its contents.
        split: default of ``--split``.
        parse: "module:function" of ``--split`` to what the protocol takes; empty: the text.
        show: "module:function" of (metrics, console) that prints its tables; empty: plain lines.
        options: of the command line, that it takes; whoever gives another one is told so.
        role: the one network that it measures, by its role in the weight set.
        data: name of the data set that it reads, where it is not its own.
    """

    name: str
    function: str
    split: str = "all"
    parse: str = ""
    show: str = ""
    options: tuple[str, ...] = ("boxes",)
    role: str = ""
    data: str = ""


_SHOW = f"{_HERE}.evaluation.people:print_scores"

PROTOCOLS = (
    Protocol(
        "mini_rgbd",
        f"{_HERE}.evaluation.mini_rgbd:evaluate_mini_rgbd",
        split="test",
        parse="Datasets.selection:sequences_of",
        show=f"{_HERE}.evaluation.mini_rgbd:print_mini_rgbd",
        options=("input", "boxes", "every"),
    ),
    Protocol(
        "syrip",
        f"{_HERE}.evaluation.syrip:evaluate_syrip",
        split="validation",
        show=f"{_HERE}.evaluation.syrip:print_syrip",
    ),
    Protocol("mpii", f"{_HERE}.evaluation.mpii:evaluate_mpii", "validation", show=_SHOW),
    Protocol("coco", f"{_HERE}.evaluation.coco:evaluate_coco", "validation", show=_SHOW),
    Protocol("lsp", f"{_HERE}.evaluation.lsp:evaluate_lsp", "test", show=_SHOW),
    Protocol("slp", f"{_HERE}.evaluation.slp:evaluate_slp", "test", show=_SHOW),
    Protocol(
        "mpi_inf_3dhp",
        f"{_HERE}.evaluation.mpi_inf_3dhp:evaluate_mpi_inf_3dhp",
        split="test",
        show=_SHOW,
        options=("input", "boxes"),
    ),
    Protocol(
        "detector",
        "FasterRCNN.evaluate:evaluate_weights",
        options=("dataset",),
        role="detector",
        data="mini_rgbd",
    ),
)
