"""Settings of recipes that train nothing: they generate, detect, score, calibrate or collect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from Engine.settings import Settings, count, limited, seed, share


@dataclass(frozen=True)
class GenerateSettings(Settings):
    """Fresh data for later stages: new bodies, movements, places and cameras.

    Attributes:
        profile: a name that ``infantpose synth`` knows.
        infants: how many sequences, subjects or pictures.
        frames: pictures of each, in videos.
        fps: pictures per second of movement; a low rate spreads few over more of it.
        seed: decides everything.
        workers: processes.
        sources: of movements and postures, ``NAME=SHARE`` each; none takes the
            profile's own.
        smpl_poses: fits that the source ``slp`` takes.
        cmu_angles: recordings that the source ``cmu`` takes.
        weak_poses: joints that the source ``syrip`` takes.
    """

    profile: str = "mini_rgbd"
    infants: int = count(300)
    frames: int = count(8)
    fps: float = limited(0.8, 0.1, 240.0)
    seed: int = seed(0)
    workers: int = limited(2, 1, 256)
    sources: tuple[str, ...] = ()
    smpl_poses: Path | None = None
    cmu_angles: Path | None = None
    weak_poses: Path | None = None


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
        depths: give the lifter the depths that the 2D network predicted.
        temporal: lift each sequence as one video.
    """

    detections: Path | None = None
    lifter: Path | None = None
    joints: Literal["ellershaw", "zedo"] = "ellershaw"
    depths: bool = True
    temporal: bool = True


@dataclass(frozen=True)
class PhotoScoreSettings(Settings):
    """The accuracy of a 2D network on photos of infants, in true boxes.

    Attributes:
        photos: in SyRIP's layout.
        heatmap: weights.
    """

    photos: DataSource | None = None
    heatmap: Path | None = None


@dataclass(frozen=True)
class SelfLabelSettings(Settings):
    """Labels from a 2D network for people without: where its predictions agree.

    Attributes:
        unlabelled: people with boxes or masks; their joints, if any, are not used.
        heatmap: weights of the network.
        min_score: a joint below this mean score gets no label.
        max_spread: nor one whose places in turned and mirrored images differ more, RMS over the
            box's longer side.
    """

    unlabelled: DataSource | None = None
    heatmap: Path | None = None
    min_score: float = share(0.3)
    max_spread: float = limited(0.03, 0.0, 10.0)


@dataclass(frozen=True)
class CalibrationSettings(Settings):
    """Factors on the error bars, and the detector's operating point, from validation data.

    Attributes:
        detections: files of cached detections on validation sequences.
        heatmap, lifter: weights of the networks, the lifter a ``ClipLifter``; or None.
        movements: banks of movements of infants that no network learnt from, for the lifter; half
            of the clips are exact, half have detection noise.
        detector: weights of the detector, or None to leave it as it is.
        scenes: data sets that it has not learnt from, for the operating point.
        mistaken_percent: of their images may have a false positive.
    """

    detections: tuple[Path, ...] = ()
    heatmap: Path | None = None
    lifter: Path | None = None
    movements: tuple[Path, ...] = ()
    detector: Path | None = None
    scenes: tuple[DataSource, ...] = ()
    mistaken_percent: float = limited(4.0, 0.0, 100.0)


@dataclass(frozen=True)
class CollectSettings(Settings):
    """A weight set from trained networks, with its manifest, for ``--weights`` to take.

    Attributes:
        name: of the set: its folder.
        detector, keypoints, lifter: weights for each role; a set may lack some.
        runs: folders of the recipes that trained them; their settings go along.
        data: what the networks were trained on, one line.
        licence: terms of the weights, one line; a set ``NAME-research`` must state its own.
    """

    name: str = "mine"
    detector: Path | None = None
    keypoints: Path | None = None
    lifter: Path | None = None
    runs: tuple[Path, ...] = ()
    data: str = ""
    licence: str = ""
