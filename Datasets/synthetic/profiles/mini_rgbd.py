"""What is generated: a profile fixes bodies, cameras and layout; ``generate`` writes it to disk.

Every sequence is a function of (profile, seed, sequence number, frames, rate) and every frame's
noise of that and its number, so the bytes do not depend on how the work is divided.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import MINI_RGBD_25
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.synthetic.workers import spread
from Datasets.writers.mini_rgbd import write_frame, write_head_length, write_infant_joints
from Engine.errors import DataError
from Engine.files import write_json

GENERATOR_VERSION = "1"

SIZE = (640, 480)
CHUNK = 50
OCCLUSION_M = 0.05


@dataclass(frozen=True)
class Profile:
    """A kind of data set.

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


MINI_RGBD = Profile("mini_rgbd", 20261, (0.7, 1.4), 15.0, 0.85)
VARIED = Profile("varied", 30001, (0.6, 1.7), 50.0, 0.35)
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
        words = (self.seed, zlib.crc32(self.profile.encode()), int(self.sequence), *more)
        return np.random.default_rng(words)


@dataclass(frozen=True)
class Chunk:
    """Labels of some frames of a sequence, in camera millimetres and pixels.

    Attributes:
        plan: the sequence.
        start: number of the first frame.
        keypoints_px, joints_mm, visibility: the canonical ``infant`` joints, one row per frame.
        head_px, head_mm: neck-head distance per frame.
    """

    plan: SequencePlan
    start: int
    keypoints_px: np.ndarray
    joints_mm: np.ndarray
    visibility: np.ndarray
    head_px: np.ndarray
    head_mm: np.ndarray


def generate(
    profile: str,
    output: Path,
    sequences: Sequence[str],
    frames: int,
    seed: int | None = None,
    workers: int = 1,
    fps: float = 30.0,
    progress: Callable[[int, int], None] | None = None,
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
    record = {
        "generator": GENERATOR_VERSION,
        "fps": fps,
        "frames": frames,
        **asdict(PROFILES[profile]),
    }
    record["seed"] = plans[0].seed
    write_json(output / "generator.json", record)
    jobs = [(plan, start, output) for plan in plans for start in range(0, frames, CHUNK)]
    chunks: dict[str, list[Chunk]] = {plan.sequence: [] for plan in plans}
    done = 0
    for _, chunk in spread(write_chunk, jobs, workers):
        mates = chunks[chunk.plan.sequence]
        mates.append(chunk)
        done += len(chunk.head_px)
        if sum(len(mate.head_px) for mate in mates) == frames:
            _finish_sequence(output / chunk.plan.sequence, mates)
        if progress is not None:
            progress(done, frames * len(plans))


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
    from Datasets.synthetic.people.motion import supine_movement
    from Datasets.synthetic.places.camera import look_at_bed

    profile, rng = PROFILES[plan.profile], plan.rng(0)
    shape = bodies.make_shape(draw_phenotype(rng))
    movement = supine_movement(rng, shape, np.arange(plan.frames) / plan.fps)
    movement = movement.turned(_draw_yaw(rng, profile)).centred()
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    camera = look_at_bed(rng, INTRINSICS, SIZE, profile.distance_m, profile.tilt_degrees)
    for _ in range(20):
        if _in_view(camera, joints):
            break
        camera = camera.stepped_back(1.05)
    return shape, movement, camera


def draw_phenotype(rng: np.random.Generator) -> dict[str, float]:
    """Body of a newborn to six-month-old."""
    return {
        "age": rng.uniform(-1 / 3, 0.0),
        "gender": rng.random(),
        "muscle": rng.uniform(0.3, 0.7),
        "weight": rng.uniform(0.35, 1.0),
        "height": rng.uniform(0.2, 0.8),
        "proportions": rng.random(),
        **dict(zip(("african", "asian", "caucasian"), rng.dirichlet(np.ones(3)), strict=True)),
    }


def _draw_yaw(rng: np.random.Generator, profile: Profile) -> float:
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
        mini_px, mini_mm: the data set's own 25 joints.
        infant_px, infant_mm, visibility: the canonical ``infant`` joints.
    """

    rgb: np.ndarray
    depth_m: np.ndarray
    mask: np.ndarray
    mini_px: np.ndarray
    mini_mm: np.ndarray
    infant_px: np.ndarray
    infant_mm: np.ndarray
    visibility: np.ndarray


def render_frames(plan: SequencePlan, start: int = 0) -> Iterator[RenderedFrame]:
    """Render the frames of one chunk of a sequence."""
    from Datasets.synthetic.capture.camera_effects import CameraEffects
    from Datasets.synthetic.people import body as bodies
    from Datasets.synthetic.people.clothing import dress
    from Datasets.synthetic.places.bed import make_sheet
    from Datasets.synthetic.render.renderer import Actor, Renderer

    shape, movement, camera = pose_sequence(plan)
    rng = plan.rng(1)
    look = dress(rng, shape)
    background = make_sheet(rng, camera)
    effects = CameraEffects.draw(rng)
    renderer = Renderer(background, [Actor(shape, look, seed=int(rng.integers(2**31)))])
    gains = effects.gains(renderer.empty)
    frames = slice(start, min(start + CHUNK, plan.frames))
    turn, place = movement.turn[frames], movement.place[frames]
    mini_mm = 1000 * camera.to_camera(bodies.mini_rgbd_joints(shape, turn, place))
    infant_mm = 1000 * camera.to_camera(bodies.infant_joints(shape, turn, place))
    mini_px, infant_px = project(mini_mm, camera.intrinsics), project(infant_mm, camera.intrinsics)
    for i in range(len(turn)):
        shot = renderer.render([(turn[i], place[i])])
        rgb = effects.develop(plan.rng(2, start + i), shot.linear, gains)
        seen = _visibility(infant_px[i], infant_mm[i], shot.depth_m)
        labels = (mini_px[i], mini_mm[i], infant_px[i], infant_mm[i], seen)
        yield RenderedFrame(rgb, shot.depth_m, shot.mask, *labels)


_LABELS = ("mini_px", "mini_mm", "infant_px", "infant_mm", "visibility")


def write_chunk(plan: SequencePlan, start: int, output: Path) -> Chunk:
    """Render and write the frames of one chunk of a sequence; return their labels."""
    folder, written = output / plan.sequence, []
    for i, frame in enumerate(render_frames(plan, start), start):
        depth = np.clip(np.round(frame.depth_m * 1000), 0, 65535).astype(np.uint16)
        write_frame(folder, i, frame.rgb, depth, frame.mask, frame.mini_px, frame.mini_mm)
        written.append(tuple(getattr(frame, name) for name in _LABELS))
    mini_px, mini_mm, infant_px, infant_mm, visibility = (
        np.stack(v) for v in zip(*written, strict=True)
    )
    head = [MINI_RGBD_25.index(joint) for joint in MINI_RGBD_25.head_segment]
    head_px, head_mm = (
        np.linalg.norm(values[:, head[0]] - values[:, head[1]], axis=-1)
        for values in (mini_px, mini_mm)
    )
    return Chunk(plan, start, infant_px, infant_mm, visibility, head_px, head_mm)


def _visibility(keypoints_px: np.ndarray, joints_mm: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """Occluded when a surface lies well in front of the joint, unlabelled outside the image."""
    limit = np.array(depth_m.shape[::-1]) - 1
    inside = ((keypoints_px >= 0) & (keypoints_px <= limit)).all(axis=1)
    x, y = np.clip(np.round(keypoints_px), 0, limit).astype(int).T
    hidden = depth_m[y, x] < joints_mm[:, 2] / 1000 - OCCLUSION_M
    return np.where(inside, np.where(hidden, OCCLUDED, VISIBLE), UNLABELLED).astype(np.uint8)


def _finish_sequence(folder: Path, chunks: list[Chunk]) -> None:
    """Write what a sequence holds once: its head length and the canonical joints."""
    chunks = sorted(chunks, key=lambda chunk: chunk.start)
    head_px, head_mm, keypoints_px, joints_mm, visibility = (
        np.concatenate([getattr(chunk, name) for chunk in chunks])
        for name in ("head_px", "head_mm", "keypoints_px", "joints_mm", "visibility")
    )
    write_head_length(folder, head_px.mean(), head_mm.mean())
    write_infant_joints(folder, np.arange(len(head_px)), keypoints_px, joints_mm, visibility)
