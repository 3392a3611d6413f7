"""Profile ``slp``: adults and infants in bed under no, a thin and a thick cover, in SLP's layout.

Three cameras look down from about 2.1 m, a hand's breadth apart: RGB, long-wave infrared, depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.slp import COVERS, SIZES
from Datasets.skeletons import INFANT, SLP_14
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, VISIBLE
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.profiles.generation import random_source, write_record
from Datasets.synthetic.workers import Progress, chunks, collect
from Datasets.writers.slp import (
    write_slp_alignment,
    write_slp_depth,
    write_slp_image,
    write_slp_joints,
)

if TYPE_CHECKING:
    from Datasets.synthetic.capture.thermal import Warmth
    from Datasets.synthetic.compose.figures import Figure
    from Datasets.synthetic.places.background import Background

SEED = 70001
CHUNK = 5
HEIGHT_M = 2.1
INFANT_EVERY = 5
POSTURES = ("supine", "left", "right")
LENSES = {
    "RGB": (840.0, 840.0, 287.5, 511.5),
    "IR": (131.0, 131.0, 59.5, 79.5),
    "depth": (367.8, 367.8, 208.1, 259.7),
}
"""fx, fy, cx, cy in pixels; depth's are those of a Kinect."""
APART_M = {"RGB": (0.03, 0.0), "IR": (-0.06, 0.02), "depth": (0.09, -0.02)}
MAP_PX_PER_M = 100.0


@dataclass(frozen=True)
class SlpSubject:
    """One subject: what decides its bytes."""

    seed: int
    number: int
    frames: int

    def folder(self, root: Path) -> Path:
        """Its folder in that of the data set."""
        return root / "danaLab" / f"{self.number:05d}"

    def rng(self, *more: int) -> np.random.Generator:
        """Generator of the subject, or of one of its frames."""
        return random_source(self.seed, "slp", self.number, *more)

    @property
    def age(self) -> str:
        """Every fifth is an infant."""
        return "infant" if self.number % INFANT_EVERY == 0 else "adult"


Labelled = dict[str, tuple[np.ndarray, np.ndarray]]
"""Per modality the joints (14, 2) in pixels and their visibility (14,)."""


def generate_slp(
    output: Path,
    subjects: int,
    frames: int = 45,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write ``danaLab/00001`` ... with images of three sensors under three covers.

    A third of the frames lie on the back, on the left and on the right side each.

    Args:
        output: folder to write to; made when missing.
        subjects: how many; every fifth is an infant.
        frames: per subject and cover.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (poses written, poses in all).
    """
    seed, output = SEED if seed is None else seed, Path(output)
    write_record(output, name="slp", seed=seed, frames=frames)
    people = [SlpSubject(seed, number, frames) for number in range(1, subjects + 1)]
    parts = chunks(frames, CHUNK)
    jobs = [(output, subject, chunk) for subject in people for chunk in parts]
    labelled = chain.from_iterable(collect(write_frames, jobs, workers, progress))
    for subject in people:
        folder, labels = subject.folder(output), [*islice(labelled, frames)]
        for modality in ("RGB", "IR"):
            pairs = [of_frame[modality] for of_frame in labels]
            write_slp_joints(folder, modality, *(np.stack([p[i] for p in pairs]) for i in (0, 1)))
        for modality, camera in bedside_cameras(subject).items():
            write_slp_alignment(folder, modality, alignment(camera))


def bedside_cameras(subject: SlpSubject) -> dict[str, PlacedCamera]:
    """RGB, IR and depth camera over the bed, for a subject."""
    rng = subject.rng(1)
    close = 0.42 if subject.age == "infant" else 1.0
    cameras = {}
    for modality, lens in LENSES.items():
        tilt = np.radians(rng.normal(0, 1.2, 2))
        down = np.array([np.sin(tilt[0]), np.sin(tilt[1]), -1.0])
        down /= np.linalg.norm(down)
        right = np.array([1.0, 0, 0]) - down[0] * down
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(down, right), down])
        height = close * HEIGHT_M + rng.uniform(-0.05, 0.05)
        position = np.array([*APART_M[modality], height]) * [close, close, 1]
        cameras[modality] = PlacedCamera(
            intrinsics_matrix(*lens), SIZES[modality], rotation, position
        )
    return cameras


def alignment(camera: PlacedCamera) -> np.ndarray:
    """Homography of the mattress: a camera's pixels to those of the pressure map."""
    columns = np.stack([camera.rotation[:, 0], camera.rotation[:, 1],
                        -camera.rotation @ camera.position], axis=1)  # fmt: skip
    width, height = SIZES["PM"]
    to_map = np.array(
        [
            [MAP_PX_PER_M, 0, (width - 1) / 2],
            [0, -MAP_PX_PER_M, (height - 1) / 2],
            [0, 0, 1.0],
        ]
    )
    matrix = to_map @ np.linalg.inv(camera.intrinsics @ columns)
    return matrix / matrix[2, 2]


def write_frames(output: Path, subject: SlpSubject, frames: range) -> list[Labelled]:
    """Render and write some poses of a subject under all covers; returns their labels."""
    from Datasets.synthetic.capture.thermal import draw_warmth
    from Datasets.synthetic.people.outfits import dress_person
    from Datasets.synthetic.people.phenotypes import draw_person
    from Datasets.synthetic.places.bed import make_bed

    rng = subject.rng(0)
    shape = draw_person(rng, subject.age)
    look = dress_person(rng, shape, subject.age)
    warmth = draw_warmth(rng, look)
    cameras = bedside_cameras(subject)
    wide = 0.5 if subject.age == "adult" else 0.32
    seed = int(rng.integers(2**31))
    bed = {name: make_bed(camera, wide, seed) for name, camera in cameras.items() if name != "IR"}
    labelled = []
    for frame in frames:
        guest = _lie_down(subject, frame, shape, look)
        labelled.append(_write_pose(output, subject, frame, guest, bed, cameras, warmth))
    return labelled


def _lie_down(subject: SlpSubject, frame: int, shape, look) -> Figure:
    """The posture of a frame, its head towards +y."""
    from Datasets.synthetic.compose.figures import Figure
    from Datasets.synthetic.people.postures import draw_stance
    from Datasets.synthetic.people.stance import pose_still

    wanted = POSTURES[min(frame * len(POSTURES) // subject.frames, len(POSTURES) - 1)]
    stance = draw_stance(subject.rng(2, frame), "supine" if wanted == "supine" else "on the side")
    guest = Figure(subject.age, shape, look, pose_still(shape, stance, wanted))
    left, right = guest.joints()[INFANT.indices(["left_shoulder", "right_shoulder"]), 2]
    if wanted != "supine" and (left < right) != (wanted == "left"):
        guest = replace(guest, posed=pose_still(shape, stance.mirrored(), wanted))
    joints = guest.joints()
    ends = joints[INFANT.indices(["head_top", "left_ankle", "right_ankle"])]
    length = (ends[:, 1].min() + ends[:, 1].max()) / 2
    return guest.moved(-joints[INFANT.root_index, 0], -length)


def _write_pose(
    output: Path,
    subject: SlpSubject,
    frame: int,
    guest: Figure,
    bed: dict[str, Background],
    cameras: dict[str, PlacedCamera],
    warmth: Warmth,
) -> Labelled:
    """Shoot one pose with all cameras under all covers."""
    from Datasets.synthetic.capture.camera_effects import CameraEffects
    from Datasets.synthetic.capture.thermal import finer, grey_levels, heat_picture, insulated
    from Datasets.synthetic.render import covers
    from Datasets.synthetic.render.renderer import Actor, Renderer

    folder, world = subject.folder(output), guest.surface()
    pose = [(guest.posed.turn, guest.posed.place)]
    actor = Actor(guest.shape, guest.look, subject.number)
    renderers = {name: Renderer(background, [actor]) for name, background in bed.items()}
    shots = {name: renderer.render(pose) for name, renderer in renderers.items()}
    celsius = heat_picture(warmth, world, cameras["IR"])
    effects = CameraEffects.draw(subject.rng(3))
    gains = effects.gains(shots["RGB"].linear)
    # Pale people on a dark bed must not burn out.
    bright = np.quantile(shots["RGB"].linear[shots["RGB"].mask], 0.9) * gains.max()
    gains = gains / max(bright, 1.0)
    for number, cover in enumerate(COVERS):
        rng = subject.rng(4, frame, number)
        linear, depth, heat = shots["RGB"].linear, shots["depth"].depth_m, celsius
        if number:
            kind = (covers.THIN, covers.THICK)[number - 1]
            draped = covers.drape(rng, kind, world)
            over = {
                name: covers.seen_from_above(draped, camera) for name, camera in cameras.items()
            }
            linear = covers.lay_over(linear, draped, over["RGB"], bed["RGB"])
            depth = np.where(over["depth"].mask, over["depth"].depth_m, depth)
            fine = covers.seen_from_above(draped, finer(cameras["IR"]))
            heat = insulated(celsius, warmth.room, draped, fine)
        rgb = effects.develop(rng, linear.astype(np.float32), gains)
        write_slp_image(folder, "RGB", cover, frame + 1, rgb)
        write_slp_image(folder, "IR", cover, frame + 1, grey_levels(rng, warmth, heat))
        millimetres = np.clip(depth * 1000 + rng.normal(0, 2.0, depth.shape), 0, 65535)
        write_slp_depth(folder, cover, frame + 1, millimetres.round().astype(np.uint16))
    return {name: _labels(guest, cameras[name], shots["RGB"], cameras["RGB"]) for name in cameras}


def _labels(
    guest: Figure, camera: PlacedCamera, shot, rgb: PlacedCamera
) -> tuple[np.ndarray, np.ndarray]:
    """Joints in a camera's pixels; occlusion is measured in the RGB camera."""
    from Datasets.synthetic.compose.pictures import HIDDEN_DEPTH

    joints = joint_map(INFANT, SLP_14).apply(guest.joints())
    seen = rgb.to_camera(joints)
    limit = np.array(rgb.size) - 1
    x, y = np.clip(project(seen, rgb.intrinsics).round(), 0, limit).astype(int).T
    hidden = shot.depth_m[y, x] < seen[:, 2] - HIDDEN_DEPTH * guest.size_m
    visibility = np.where(hidden, OCCLUDED, VISIBLE).astype(np.uint8)
    return project(camera.to_camera(joints), camera.intrinsics), visibility
