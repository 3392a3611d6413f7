"""What is generated: a profile fixes bodies, cameras and layout; ``generate`` writes it to disk.

Every sequence is a function of (profile, seed, sequence number, frames, rate) and every frame's
noise of that and its number, so the bytes do not depend on how the work is divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import MINI_RGBD_25
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.synthetic.profiles.generation import random_source, write_record
from Datasets.synthetic.workers import Progress, chunks, spread
from Datasets.writers.mini_rgbd import (
    write_frame,
    write_head_length,
    write_infant,
    write_infant_joints,
)
from Engine.errors import DataError

SIZE = (640, 480)
CHUNK = 50
OCCLUSION_M = 0.05


@dataclass(frozen=True)
class SequenceProfile:
    """A data set of sequences in the layout of MINI-RGBD.

    Attributes:
        name: as on the command line.
        seed: the default seed; fixes the benchmark.
        distance_m: range of camera distances.
        tilt_degrees: largest camera tilt from straight down, about either axis.
        narrow_yaw_share: share of infants that lie within 35 degrees of upright in the image.
    """

    name: str
    seed: int
    distance_m: tuple[float, float]
    tilt_degrees: float
    narrow_yaw_share: float


MINI_RGBD = SequenceProfile("mini_rgbd", 20261, (0.7, 1.4), 15.0, 0.85)
VARIED = SequenceProfile("varied", 30001, (0.6, 1.7), 50.0, 0.35)
PROFILES = {profile.name: profile for profile in (MINI_RGBD, VARIED)}


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


def generate(
    profile: str,
    output: Path,
    sequences: Sequence[str],
    frames: int,
    seed: int | None = None,
    workers: int = 1,
    fps: float = 30.0,
    progress: Progress | None = None,
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

    Raises:
        DataError: unknown profile, a sequence that is not a number, or nothing to make.
    """
    plans = _plans(profile, sequences, frames, seed, fps)
    values = {"fps": fps, "frames": frames, **asdict(PROFILES[profile])}
    write_record(output, **values | {"seed": plans[0].seed})
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
    from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
    from Datasets.synthetic.people.supine_movement import supine_movement
    from Datasets.synthetic.places.camera import look_at_bed

    profile, rng = PROFILES[plan.profile], plan.rng(0)
    shape = draw_body(rng, LYING_INFANT)
    movement = supine_movement(rng, shape, np.arange(plan.frames) / plan.fps)
    movement = movement.moved(yaw_degrees=_draw_yaw(rng, profile)).centred()
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    camera = look_at_bed(rng, INTRINSICS, SIZE, profile.distance_m, profile.tilt_degrees)
    for _ in range(20):
        if _in_view(camera, joints):
            break
        camera = camera.stepped_back(1.05)
    return shape, movement, camera


def _draw_yaw(rng: np.random.Generator, profile: SequenceProfile) -> float:
    narrow = rng.random() < profile.narrow_yaw_share
    return rng.uniform(-35, 35) if narrow else rng.uniform(-180, 180)


def _in_view(camera, joints: np.ndarray, margin: float = 12.0) -> bool:
    """True when nearly all joints of nearly all frames are inside the image."""
    seen = project(camera.to_camera(joints), camera.intrinsics)
    inside = (seen > margin).all(-1) & (seen < np.array(camera.size) - margin).all(-1)
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
    from Datasets.synthetic.capture.camera_effects import CameraEffects
    from Datasets.synthetic.people import body as bodies
    from Datasets.synthetic.people.outfits import dress
    from Datasets.synthetic.places.bed import make_sheet
    from Datasets.synthetic.render.renderer import Actor, Renderer

    shape, movement, camera = posed
    rng = plan.rng(1)
    look = dress(rng, shape)
    background = make_sheet(rng, camera)
    effects = CameraEffects.draw(rng)
    renderer = Renderer(background, [Actor(shape, look, seed=int(rng.integers(2**31)))])
    first = renderer.render([(movement.turn[0], movement.place[0])])
    gains = effects.gains(first.linear, first.mask)
    frames = slice(numbers.start, numbers.stop)
    turn, place = movement.turn[frames], movement.place[frames]
    mini_mm = 1000 * camera.to_camera(bodies.mini_rgbd_joints(shape, turn, place))
    joints_mm = 1000 * camera.to_camera(bodies.infant_joints(shape, turn, place))
    mini_px, pixels = project(mini_mm, camera.intrinsics), project(joints_mm, camera.intrinsics)
    for i, number in enumerate(numbers):
        shot = renderer.render([(turn[i], place[i])])
        rgb = effects.develop(plan.rng(2, number), shot.linear, gains)
        labels = {
            "mini_px": mini_px[i],
            "mini_mm": mini_mm[i],
            "keypoints_px": pixels[i],
            "joints_mm": joints_mm[i],
            "visibility": _visibility(pixels[i], joints_mm[i], shot.depth_m),
        }
        yield RenderedFrame(rgb, shot.depth_m, shot.mask, labels)


def write_chunk(output: Path, plan: SequencePlan, numbers: range) -> dict[str, np.ndarray]:
    """Render and write some frames of a sequence; return their labels, stacked."""
    folder, written, posed = output / plan.sequence, [], pose_sequence(plan)
    if numbers.start == 0:
        shape = posed[0]
        write_infant(folder, shape.age_weeks, 1000 * shape.length_m, shape.joint_places)
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
