"""Settings of the stages of chains that train nothing: they generate, look, score or calibrate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from Engine.settings import Settings, count, limited, seed, share


@dataclass(frozen=True)
class GenerateSettings(Settings):
    """Fresh data for the stages after it: new bodies, movements, places and cameras.

    Attributes:
        profile: ``mini_rgbd`` or ``varied`` (videos), ``syrip`` or ``scenes`` (photos), or
            ``movements`` or ``postures`` (no pictures).
        infants: how many sequences or photos.
        frames: pictures of each, in videos.
        fps: pictures per second of movement; a low rate spreads few over more of it.
        seed: decides everything.
        workers: processes.
        smpl_poses: fits that a share of the postures take, or None.
    """

    profile: Literal["mini_rgbd", "varied", "syrip", "scenes", "movements", "postures"] = (
        "mini_rgbd"
    )
    infants: int = count(300)
    frames: int = count(8)
    fps: float = limited(0.8, 0.1, 240.0)
    seed: int = seed(0)
    workers: int = limited(2, 1, 256)
    smpl_poses: Path | None = None


@dataclass(frozen=True)
class DetectionCacheSettings(Settings):
    """Predictions of a 2D network on labelled frames, kept in a file to train and score lifters.

    Attributes:
        data: the data set, with 3D labels; see ``DataSource``.
        heatmap: weights of the 2D network; None takes the true joints.
        skeleton: of the true joints.
        detector: weights of the detector; None crops the true boxes.
        whole_image: crop nothing.
        flip_test: average with the mirrored crop.
        frame_step: use every n-th frame of a sequence.
        weak: take the weak 3D labels beside SyRIP's photos, which lack a camera and a scale.
    """

    data: DataSource | None = None
    heatmap: Path | None = None
    skeleton: Literal["infant", "mpii_16", "mini_rgbd_25"] = "infant"
    detector: Path | None = None
    whole_image: bool = False
    flip_test: bool = True
    frame_step: int = count(1)
    weak: bool = False


@dataclass(frozen=True)
class ScoreSettings(Settings):
    """The errors of a lifter on cached detections.

    Attributes:
        detections: file of cached detections on labelled frames of MINI-RGBD.
        lifter: weights.
        joints: which are scored: ``ellershaw``'s 16, or ``zedo``'s 17.
        depths: show the lifter the depths that the 2D network read.
        temporal: lift each sequence as one video.
    """

    detections: Path | None = None
    lifter: Path | None = None
    joints: Literal["ellershaw", "zedo"] = "ellershaw"
    depths: bool = True
    temporal: bool = True


@dataclass(frozen=True)
class PhotoScoreSettings(Settings):
    """How well a 2D network does on photos of infants, in true boxes.

    Attributes:
        photos: in SyRIP's layout.
        heatmap: weights.
    """

    photos: DataSource | None = None
    heatmap: Path | None = None


@dataclass(frozen=True)
class SelfLabelSettings(Settings):
    """Labels that a 2D network gives to people without: where it agrees with itself.

    Attributes:
        unlabelled: people with boxes or masks; their joints, if any, are not looked at.
        heatmap: weights of the network.
        min_score: a joint below this mean score is not trusted.
        max_spread: nor one whose places in turned and mirrored images differ more, RMS over the
            box's longer side.
    """

    unlabelled: DataSource | None = None
    heatmap: Path | None = None
    min_score: float = share(0.3)
    max_spread: float = limited(0.03, 0.0, 10.0)


@dataclass(frozen=True)
class ReorderSettings(Settings):
    """Weights whose joints change places: what transfer without a joint mapping begins with.

    Attributes:
        weights: of a network with the joints of ``mpii_16``, heatmap or lifter.
    """

    weights: Path | None = None


@dataclass(frozen=True)
class CalibrationSettings(Settings):
    """How wide error bars must be, and how sure the detector: measured on validation data.

    Attributes:
        detections: files of cached detections on validation sequences.
        heatmap, lifter: weights of the networks, the lifter a ``ClipLifter``.
        detector: weights of the detector, or None to leave it as it is.
        scenes: data sets of people that it has not learnt from.
        mistaken_percent: of their images in which it may take something for an infant.
    """

    detections: tuple[Path, ...] = ()
    heatmap: Path | None = None
    lifter: Path | None = None
    detector: Path | None = None
    scenes: tuple[DataSource, ...] = ()
    mistaken_percent: float = limited(4.0, 0.0, 100.0)
