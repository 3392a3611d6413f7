"""Chains: the stages of a recipe one after another, each beginning with what earlier ones made.

A chain is a list of stages whose settings name the files of earlier stages, so nothing but the
folder decides what begins with what. A stage that is done is not done again; one that was killed
goes on from its last checkpoint. The ``stage.json`` of each records its cost and its lineage.
"""

from __future__ import annotations

import dataclasses
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Datasets.skeletons.mini_rgbd import MINI_RGBD_25, PUBLISHED_16
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.files import write_json
from Engine.provenance import file_sha256
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    GenerateSettings,
    PhotoScoreSettings,
    ReorderSettings,
    ScoreSettings,
    SelfLabelSettings,
)

RECORD = "stage.json"
BEAT_S = 30.0
UNMAPPED = tuple(
    sorted(MINI_RGBD_25.indices(PUBLISHED_16)).index(place)
    for place in MINI_RGBD_25.indices(PUBLISHED_16)
)
"""For each joint of MPII, its place among the same joints in MINI-RGBD's order."""

MADE = ("[!.]*.npz", "detector.safetensors", "heatmap.safetensors", "lifter.safetensors")


@dataclass(frozen=True)
class Stage:
    """One run of a recipe.

    Attributes:
        name: its folder in the chain's.
        settings: of the recipe, which their type tells.
    """

    name: str
    settings: object


@dataclass(frozen=True)
class StageRecord:
    """What a finished stage cost and began with.

    Attributes:
        name: of the stage.
        minutes: of training, over all its sessions.
        summary: how it ended: steps, epochs, best loss.
        begins_with: sha256 of each file that its settings name, by the settings' key.
        made: sha256 of each file that it made.
    """

    name: str
    minutes: float
    summary: dict[str, Any]
    begins_with: dict[str, str]
    made: dict[str, str]


def run_chain(
    stages: Sequence[Stage], folder: Path, say: Callable[[str], None] = print
) -> list[StageRecord]:
    """Run the stages that are not done yet.

    Args:
        stages: in their order.
        folder: of the chain; each stage gets a folder in it.
        say: told what each stage cost.

    Returns:
        One record per stage.

    Raises:
        DataError: data of a stage is missing, or a stage stopped before its end.
    """
    say(f"{len(stages)} stages, at most {planned_minutes(stages, folder):.0f} min of training")
    records = []
    for number, stage in enumerate(stages, 1):
        output = folder / stage.name
        record = _finished(output)
        state = "done before"
        if record is None:
            record, state = _run(stage, output), "done"
        records.append(record)
        say(f"{number}/{len(stages)} {stage.name}: {record.minutes:.1f} min, {state}")
    say(f"{folder}: {sum(r.minutes for r in records):.1f} min in all")
    return records


def planned_minutes(stages: Sequence[Stage], folder: Path) -> float:
    """Add up the limits of the training stages that are not done; infinite where one has none."""
    limits = [
        stage.settings.trainer.max_minutes
        for stage in stages
        if hasattr(stage.settings, "trainer") and _finished(folder / stage.name) is None
    ]
    return sum(math.inf if limit is None else limit for limit in limits)


def _run(stage: Stage, output: Path) -> StageRecord:
    """Run one stage to its end and record it."""
    output.mkdir(parents=True, exist_ok=True)
    begins_with = {key: file_sha256(path) for key, path in named_files(stage.settings)}
    spent = _Clock(output / "minutes.json")
    with spent:
        summary = RUNNERS[type(stage.settings)](stage.settings, output)
    made = {
        path.name: file_sha256(path) for pattern in MADE for path in sorted(output.glob(pattern))
    }
    record = StageRecord(stage.name, spent.minutes, summary, begins_with, made)
    write_json(output / RECORD, dataclasses.asdict(record))
    return record


class _Clock:
    """Adds up the minutes of a stage over its sessions, also of one that is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = json.loads(path.read_text())["minutes"] if path.is_file() else 0.0

    def __enter__(self) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.keeper.join()
        self._write()

    def _keep(self) -> None:
        while not self.ended.wait(BEAT_S):
            self._write()

    def _write(self) -> None:
        write_json(self.path, {"minutes": self.minutes}, indent=None)

    @property
    def minutes(self) -> float:
        return self.before + (time.monotonic() - self.began) / 60


def _finished(output: Path) -> StageRecord | None:
    path = output / RECORD
    return StageRecord(**json.loads(path.read_text())) if path.is_file() else None


def named_files(settings: object, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Files that a settings dataclass names, with their keys.

    Raises:
        DataError: one does not exist.
    """
    for field in dataclasses.fields(settings):
        value, key = getattr(settings, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from named_files(value, f"{key}.")
        values = value if isinstance(value, tuple) else (value,)
        paths = [v.labels if isinstance(v, DataSource) else v for v in values]
        for path in (p for p in paths if isinstance(p, Path) and p.suffix):
            if not path.is_file():
                raise DataError(f"chain: {key} names {path}, which does not exist")
            yield key if len(paths) == 1 else f"{key}[{path.parent.name}/{path.name}]", path


def _train_heatmap(settings: HeatmapSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.heatmap import train_heatmap

    return dataclasses.asdict(train_heatmap(settings, output, resume=True))


def _train_lifting(settings: LiftingSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.lifting import train_lifting

    return dataclasses.asdict(train_lifting(settings, output, resume=True))


def _train_clips(settings: ClipLiftingSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.clip_lifting import train_clip_lifting

    return dataclasses.asdict(train_clip_lifting(settings, output, resume=True))


def _observe(settings: DetectionCacheSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.detection_cache import cache_detections

    return dict(cache_detections(settings, output))


def _generate(settings: GenerateSettings, output: Path) -> dict[str, Any]:
    """Write videos, photos, movements or postures; a stage that was killed begins anew."""
    from Datasets.synthetic.profiles.coco import SYRIP, generate_coco
    from Datasets.synthetic.profiles.mini_rgbd import generate
    from Datasets.synthetic.profiles.movement_bank import write_movement_bank, write_posture_bank
    from Datasets.synthetic.profiles.scenes import STYLE

    count, seed, workers = settings.infants, settings.seed, settings.workers
    if settings.profile == "movements":
        write_movement_bank(output / "movements.npz", count, seed, workers)
    elif settings.profile == "postures":
        bank, fits = output / "postures.npz", settings.smpl_poses
        write_posture_bank(bank, count, seed, workers, smpl_poses=fits)
    elif settings.profile in ("syrip", "scenes"):
        style = SYRIP if settings.profile == "syrip" else STYLE
        generate_coco(output, count, seed, workers, style=style)
    else:
        names = tuple(f"{number:04d}" for number in range(1, count + 1))
        generate(settings.profile, output, names, settings.frames, seed, workers, settings.fps)
        return {"infants": count, "frames": count * settings.frames}
    return {"infants": count}


def _calibrate(settings: CalibrationSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.calibrate import calibrate

    return dict(calibrate(settings, output))


def _score(settings: ScoreSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.evaluation.cached import score_detections

    return dict(score_detections(settings, output))


def _score_photos(settings: PhotoScoreSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.evaluation.photo_score import score_photos

    return score_photos(settings, output)


def _self_label(settings: SelfLabelSettings, output: Path) -> dict[str, Any]:
    from PoseEstimation.training.self_label import self_label

    return self_label(settings, output)


def _reorder(settings: ReorderSettings, output: Path) -> dict[str, Any]:
    """Give each joint of MPII the weights of the one that is as far down MINI-RGBD's list."""
    from PoseEstimation.training.weights import reordered

    if settings.weights is None:
        raise DataError("reorder: weights must be given")
    reordered(settings.weights, output / settings.weights.name, UNMAPPED)
    return {"order": list(UNMAPPED)}


def _train_detector(settings: DetectorSettings, output: Path) -> dict[str, Any]:
    from FasterRCNN.train import train_detector

    return dataclasses.asdict(train_detector(settings, output, resume=True))


def _train_rescoring(settings: RescoringSettings, output: Path) -> dict[str, Any]:
    from FasterRCNN.train_rescoring import train_rescoring

    return dataclasses.asdict(train_rescoring(settings, output, resume=True))


RUNNERS: dict[type, Callable[[Any, Path], dict[str, Any]]] = {
    HeatmapSettings: _train_heatmap,
    LiftingSettings: _train_lifting,
    ClipLiftingSettings: _train_clips,
    DetectionCacheSettings: _observe,
    GenerateSettings: _generate,
    CalibrationSettings: _calibrate,
    DetectorSettings: _train_detector,
    RescoringSettings: _train_rescoring,
    ScoreSettings: _score,
    PhotoScoreSettings: _score_photos,
    SelfLabelSettings: _self_label,
    ReorderSettings: _reorder,
}
