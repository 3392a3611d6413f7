"""What is generated: a profile fixes bodies, cameras and layout; ``generate`` writes it to disk.

Every sequence is a function of (profile, seed, sequence number, frames, rate) and every frame's
noise of that and its number, so the bytes do not depend on how the work is divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.synthetic.profiles.generation import random_source, write_record
from Datasets.synthetic.workers import Progress, chunks, collect, spread
from Datasets.writers.mini_rgbd import (
    write_frame,
    write_head_length,
    write_infant,
    write_infant_joints,
    write_labels,
)
from Engine.errors import DataError

SIZE = (640, 480)
CHUNK = 50
OCCLUSION_M = 0.05
MARGIN_PX = 12.0


@dataclass(frozen=True)
class World:
    """What sequences are like.

    Attributes:
        source: of the movement, a key of ``motion_sources.SOURCES``.
        look: a key of ``looks.LOOKS``.
    """

    source: str = "habits"
    look: str = "bed"


@dataclass(frozen=True)
class SequenceProfile:
    """A data set of sequences in the layout of MINI-RGBD.

    Attributes:
        name: as on the command line.
        seed: the default seed; fixes the benchmark.
        trunk_px: range of the length of the trunk in the picture, neck to the middle of the hips;
            less where the infant would not fit into it.
        tilt_degrees: largest camera tilt from straight down, about either axis.
        worlds: that sequences take in turns.
        strata: sequences over which age, proportions, ways to lie and turns in the picture are
            spread evenly; 0 draws each on its own.
    """

    name: str
    seed: int
    trunk_px: tuple[float, float]
    tilt_degrees: float
    worlds: tuple[World, ...] = (World(),)
    strata: int = 0


MINI_RGBD = SequenceProfile("mini_rgbd", 20261, (115.0, 170.0), 15.0)
VARIED = SequenceProfile("varied", 30001, (65.0, 170.0), 50.0)
SYNTHINFANT_2 = SequenceProfile(
    "synthinfant2",
    20262,
    (90.0, 170.0),
    25.0,
    (World(), World(), World(), World("reaching", "play mat")),
    40,
)
"""The second benchmark: a quarter is moved and looks as nothing to train from."""

PROFILES = {profile.name: profile for profile in (MINI_RGBD, VARIED, SYNTHINFANT_2)}


@dataclass(frozen=True)
class SequencePlan:
    """Everything that decides one sequence's bytes."""

    profile: str
    seed: int
    sequence: str
    frames: int
    fps: float

    def rng(self, *more: int) -> np.random.Generator:
        """Generator of the sequence, or of one of its parts."""
        return random_source(self.seed, self.profile, int(self.sequence), *more)

    @property
    def world(self) -> World:
        """What the sequence is like."""
        worlds = PROFILES[self.profile].worlds
        return worlds[(int(self.sequence) - 1) % len(worlds)]

    def parts(self) -> dict[str, float]:
        """Where in their ranges the values lie that are spread over the sequences, 0 to 1.

        A Latin hypercube: of each value, every sequence has another stratum; ages rise.
        """
        from Datasets.synthetic.people.proportions import Proportions

        strata = PROFILES[self.profile].strata
        if not strata:
            return {}
        names = (*(field.name for field in fields(Proportions)), "lying", "yaw")
        own = (int(self.sequence) - 1) % strata
        shared = random_source(self.seed, self.profile, "strata")
        stratum = {name: shared.permutation(strata)[own] for name in names} | {"age": own}
        rng = self.rng(3)
        return {name: (number + rng.random()) / strata for name, number in stratum.items()}


def generate(
    profile: str,
    output: Path,
    sequences: Sequence[str],
    frames: int,
    seed: int | None = None,
    workers: int = 1,
    fps: float = 30.0,
    progress: Progress | None = None,
    labels_only: bool = False,
) -> None:
    """Write a generated data set in the MINI-RGBD layout.

    Args:
        profile: a name in ``PROFILES``.
        output: folder to write to; made when missing.
        sequences: digits, such as ``("01", "02")``.
        frames: per sequence.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        fps: frames per second of the movement; a low rate spreads few frames over more of it.
        progress: called with (frames written, frames in all).
        labels_only: write no pictures, and of labels the official ones alone.

    Raises:
        DataError: unknown profile, a sequence that is not a number, or nothing to make.
    """
    plans = _plans(profile, sequences, frames, seed, fps)
    values = {"fps": fps, "frames": frames, **asdict(PROFILES[profile])}
    write_record(output, **values | {"seed": plans[0].seed})
    if labels_only:
        whole = [(output, plan, range(frames)) for plan in plans]
        collect(write_sequence_labels, whole, workers, progress)
        return
    jobs = [(output, plan, chunk) for plan in plans for chunk in chunks(frames, CHUNK)]
    labelled: dict[str, dict[int, dict[str, np.ndarray]]] = {plan.sequence: {} for plan in plans}
    for number, labels in spread(write_chunk, jobs, workers, progress):
        _, plan, chunk = jobs[number]
        parts = labelled[plan.sequence]
        parts[chunk.start] = labels
        if len(parts) == len(chunks(frames, CHUNK)):
            _finish_sequence(output / plan.sequence, [parts[start] for start in sorted(parts)])


def _plans(profile, sequences, frames, seed, fps) -> list[SequencePlan]:
    if profile not in PROFILES:
        raise DataError(f"profile '{profile}' is unknown: choose one of {', '.join(PROFILES)}")
    bad = [name for name in sequences if not name.isdigit()]
    if bad or not sequences or frames < 1:
        what = (
            f"sequence '{bad[0]}' is not a number" if bad else "no sequence or no frame asked for"
        )
        raise DataError(f"{what}: give digits such as 01-12 and at least one frame")
    seed = PROFILES[profile].seed if seed is None else seed
    return [SequencePlan(profile, seed, name, frames, fps) for name in sequences]


def pose_sequence(plan: SequencePlan):
    """Make body, movement and camera of a sequence, without rendering.

    Returns:
        (shape, movement, camera): the movement is centred under the camera, which stands back until
        the whole infant is in view.
    """
    from Datasets.synthetic.people import body as bodies
    from Datasets.synthetic.people.motion_sources import HABITS, move_infant
    from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
    from Datasets.synthetic.places.camera import look_at_bed

    profile, rng, parts = PROFILES[plan.profile], plan.rng(0), plan.parts()
    build, yaw = LYING_INFANT, rng.uniform(-180, 180)
    lying: dict[str, Any] = {}
    if parts:
        build = replace(build, years=(parts["age"] * build.years[1],) * 2, parts=parts)
        lying = {"lying": _way_to_lie(parts["lying"])} if plan.world.source == HABITS else {}
        yaw = 360 * parts["yaw"]
    shape, times = draw_body(rng, build), np.arange(plan.frames) / plan.fps
    movement = move_infant(plan.world.source, rng, shape, times, **lying)
    movement = movement.moved(yaw_degrees=yaw).centred()
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    distances = _trunk_length(joints) * INTRINSICS[0, 0] / np.array(profile.trunk_px[::-1])
    camera = look_at_bed(rng, INTRINSICS, SIZE, tuple(distances), profile.tilt_degrees)
    for _ in range(30):
        if _in_view(camera, joints):
            break
        camera = camera.stepped_back(1.03)
    return shape, movement.moved(*_aside(rng, camera, joints)), camera


def _way_to_lie(part: float) -> str:
    """A name of ``LYING`` at a part of all, in the order of the rows."""
    from Datasets.synthetic.people.lying import LYING

    ends = np.cumsum([row.share for row in LYING.values()])
    return list(LYING)[int(np.searchsorted(ends / ends[-1], part))]


def _trunk_length(joints: np.ndarray) -> float:
    """Median distance from the neck to the middle of the hips, metres."""
    neck, left, right = (
        joints[:, INFANT.index(name)] for name in ("upper_neck", "left_hip", "right_hip")
    )
    return float(np.median(np.linalg.norm((left + right) / 2 - neck, axis=1)))


def _aside(rng: np.random.Generator, camera, joints: np.ndarray) -> np.ndarray:
    """How far, metres along the bed, an infant moves to lie anywhere in the picture."""
    points = camera.to_camera(joints)
    low, high = np.percentile(project(points, camera.intrinsics), [0.3, 99.7], axis=(0, 1))
    room = np.stack([MARGIN_PX - low, np.array(camera.size) - MARGIN_PX - high])
    pixels = rng.uniform(np.minimum(room[0], 0), np.maximum(room[1], 0))
    metres = pixels * np.median(points[..., 2]) / np.diag(camera.intrinsics)[:2]
    return metres * [1.0, -1.0]


def _in_view(camera, joints: np.ndarray) -> bool:
    """True when nearly all joints of nearly all frames are inside the image."""
    seen = project(camera.to_camera(joints), camera.intrinsics)
    inside = (seen > MARGIN_PX).all(-1) & (seen < np.array(camera.size) - MARGIN_PX).all(-1)
    return bool(inside.mean() > 0.995)


@dataclass(frozen=True)
class RenderedFrame:
    """One picture and its labels, in camera millimetres and pixels.

    Attributes:
        rgb: (480, 640, 3) bytes.
        depth_m: (480, 640) metres.
        mask: (480, 640) the infant.
        labels: ``mini_px`` and ``mini_mm``, the data set's own 25 joints; ``keypoints_px``,
            ``joints_mm`` and ``visibility``, the canonical ``infant`` joints.
    """

    rgb: np.ndarray
    depth_m: np.ndarray
    mask: np.ndarray
    labels: dict[str, np.ndarray]


def render_frames(plan: SequencePlan, posed, numbers: range) -> Iterator[RenderedFrame]:
    """Render some frames of a sequence; ``posed`` is what ``pose_sequence`` returned."""
    from Datasets.synthetic.profiles.looks import LOOKS
    from Datasets.synthetic.render.renderer import Actor, Renderer

    shape, movement, camera = posed
    rng, look = plan.rng(1), LOOKS[plan.world.look]
    clothes, background = look.clothe(rng, shape), look.place(rng, camera)
    effects = look.capture(rng)
    renderer = Renderer(background, [Actor(shape, clothes, seed=int(rng.integers(2**31)))])
    first = renderer.render([(movement.turn[0], movement.place[0])])
    gains = effects.gains(first.linear, first.mask)
    joints = joints_of(posed, numbers)
    for i, number in enumerate(numbers):
        shot = renderer.render([(movement.turn[number], movement.place[number])])
        rgb = effects.develop(plan.rng(2, number), shot.linear, gains)
        labels = {name: values[i] for name, values in joints.items()}
        pixels, joints_mm = labels["keypoints_px"], labels["joints_mm"]
        labels["visibility"] = _visibility(pixels, joints_mm, shot.depth_m)
        yield RenderedFrame(rgb, shot.depth_m, shot.mask, labels)


def joints_of(posed, numbers: range) -> dict[str, np.ndarray]:
    """Labels of some frames as in ``RenderedFrame``, but for ``visibility``; frame by frame."""
    from Datasets.synthetic.people import body as bodies

    shape, movement, camera = posed
    frames = slice(numbers.start, numbers.stop)
    turn, place = movement.turn[frames], movement.place[frames]
    mini_mm = 1000 * camera.to_camera(bodies.mini_rgbd_joints(shape, turn, place))
    joints_mm = 1000 * camera.to_camera(bodies.infant_joints(shape, turn, place))
    return {
        "mini_px": project(mini_mm, camera.intrinsics),
        "mini_mm": mini_mm,
        "keypoints_px": project(joints_mm, camera.intrinsics),
        "joints_mm": joints_mm,
    }


def write_sequence_labels(output: Path, plan: SequencePlan, numbers: range) -> None:
    """Write the label files of a sequence and what is known of its infant, but no picture."""
    folder, posed = output / plan.sequence, pose_sequence(plan)
    _write_infant(folder, plan, posed)
    labels = joints_of(posed, numbers)
    for number in numbers:
        write_labels(folder, number, labels["mini_px"][number], labels["mini_mm"][number])


def _write_infant(folder: Path, plan: SequencePlan, posed) -> None:
    shape = posed[0]
    words = {"joint_places": shape.joint_places, **asdict(plan.world)}
    write_infant(folder, shape.age_weeks, 1000 * shape.length_m, **words)


def write_chunk(output: Path, plan: SequencePlan, numbers: range) -> dict[str, np.ndarray]:
    """Render and write some frames of a sequence; return their labels, stacked."""
    folder, written, posed = output / plan.sequence, [], pose_sequence(plan)
    if numbers.start == 0:
        _write_infant(folder, plan, posed)
    for number, frame in zip(numbers, render_frames(plan, posed, numbers), strict=True):
        depth, labels = np.clip(np.round(frame.depth_m * 1000), 0, 65535), frame.labels
        pixels_mm = labels["mini_px"], labels["mini_mm"]
        write_frame(folder, number, frame.rgb, depth.astype(np.uint16), frame.mask, *pixels_mm)
        written.append(labels)
    return {name: np.stack([labels[name] for labels in written]) for name in written[0]}


def _visibility(keypoints_px: np.ndarray, joints_mm: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """Occluded when a surface lies well in front of the joint, unlabelled outside the image."""
    limit = np.array(depth_m.shape[::-1]) - 1
    inside = ((keypoints_px >= 0) & (keypoints_px <= limit)).all(axis=1)
    x, y = np.clip(np.round(keypoints_px), 0, limit).astype(int).T
    hidden = depth_m[y, x] < joints_mm[:, 2] / 1000 - OCCLUSION_M
    return np.where(inside, np.where(hidden, OCCLUDED, VISIBLE), UNLABELLED).astype(np.uint8)


def _finish_sequence(folder: Path, parts: list[dict[str, np.ndarray]]) -> None:
    """Write what a sequence holds once: its head length and the canonical joints."""
    labels = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    base, top = MINI_RGBD_25.indices(MINI_RGBD_25.head_segment or ())
    head_px, head_mm = (
        np.linalg.norm(values[:, base] - values[:, top], axis=-1)
        for values in (labels["mini_px"], labels["mini_mm"])
    )
    write_head_length(folder, head_px.mean(), head_mm.mean())
    joints = labels["keypoints_px"], labels["joints_mm"], labels["visibility"]
    write_infant_joints(folder, np.arange(len(head_px)), *joints)
