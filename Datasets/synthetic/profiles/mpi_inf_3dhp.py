"""Profile ``mpi_inf_3dhp``: one adult before several calibrated cameras, training and test layout.

Training sequences are recorded in a green studio by up to 14 cameras, numbered as in the official
set: 0 to 10 around the actor at the height of the knees, the chest or above the head, 11 to 13
under the ceiling. Test sequences have one camera: the first two in the studio, the next two in a
room, the rest outdoors.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import CAMERA_SETS, CalibratedCamera
from Datasets.skeletons import MPI_INF_17, MPI_INF_28
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.camera import PlacedCamera, rotation_towards
from Datasets.synthetic.profiles.generation import random_source, write_record
from Datasets.synthetic.workers import Progress, collect
from Datasets.writers.mpi_inf_3dhp import (
    write_calibration,
    write_test_annotations,
    write_test_image,
    write_train_annotations,
    write_train_image,
    write_train_mask,
)
from Engine.errors import DataError

SEED = 60001
OFFICIAL_PX = 2048
FPS = 25.0
STUDIO_M = 5.5
SUBJECTS, TEST_SEQUENCES = 8, 6

_SIDE_BONES = {
    "clavicle": "clavicle", "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "hand": "finger3-1", "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
    "foot": "toe2-1", "toe": "toe2-3",
}  # fmt: skip
BONES = {
    "spine3": "spine03", "spine4": "spine02", "spine2": "spine04", "spine": "spine05",
    "pelvis": "root", "neck": "neck01", "head": "head",
    **{
        f"{side}_{joint}": f"{bone}.{side[0].upper()}"
        for side in ("left", "right")
        for joint, bone in _SIDE_BONES.items()
    },
}  # fmt: skip
"""Bone whose head is a joint; ``head_top`` is the crown."""

ACTIVITY = {
    "standing": 1, "walking": 1, "running": 2, "on a seat": 3, "bending": 4, "squatting": 4,
    "kneeling": 4, "sitting": 5, "all fours": 5, "supine": 5, "sporting": 6,
}  # fmt: skip
"""Number of the official activity that a family of postures belongs to; others are 7."""


@dataclass(frozen=True)
class Recording:
    """One sequence: what decides its bytes.

    Attributes:
        name: such as ``S1/Seq2`` or ``TS3``.
        seed, frames, size: of the data set; size is the side of its square images.
    """

    name: str
    seed: int
    frames: int
    size: int

    @property
    def is_test(self) -> bool:
        """Whether it belongs to the test set."""
        return self.name.startswith("TS")

    def folder(self, root: Path) -> Path:
        """Its folder in that of the data set."""
        return root / "mpi_inf_3dhp_test_set" / self.name if self.is_test else root / self.name

    def rng(self, *more: int) -> np.random.Generator:
        """Generator of the sequence, or of one of its parts."""
        return random_source(self.seed, "mpi_inf_3dhp", self.name, *more)


@dataclass(frozen=True)
class ViewLabels:
    """Labels of one camera: (frame, 28, 2) pixels, (frame, 28, 3) mm, (frame,) activity."""

    keypoints_px: np.ndarray
    joints_mm: np.ndarray
    activity: np.ndarray


def generate_mpi_inf_3dhp(
    output: Path,
    subjects: int,
    frames: int,
    seed: int | None = None,
    size: int = 512,
    cameras: str = "vnect",
    test_sequences: int = TEST_SEQUENCES,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write ``S1/Seq1`` ... and ``mpi_inf_3dhp_test_set/TS1`` ... with images and labels.

    Args:
        output: folder to write to; made when missing.
        subjects: training subjects with two sequences each, at most 8.
        frames: per sequence and camera.
        seed: default is the profile's own.
        size: side of the square images in pixels; the official ones have 2048.
        cameras: a key of ``CAMERA_SETS``: which cameras are rendered and labelled.
        test_sequences: at most 6.
        workers: processes; any number gives the same bytes.
        progress: called with (views written, views in all).

    Raises:
        DataError: an unknown set of cameras, or more subjects or sequences than the layout has.
    """
    if cameras not in CAMERA_SETS:
        known = ", ".join(CAMERA_SETS)
        raise DataError(f"cameras: '{cameras}' is unknown; choose one of {known}")
    if not (1 <= subjects <= SUBJECTS and 0 <= test_sequences <= TEST_SEQUENCES and frames > 0):
        raise DataError(
            f"mpi_inf_3dhp: {subjects} subjects, {test_sequences} test sequences, {frames} frames: "
            f"the layout has 1-{SUBJECTS} and 0-{TEST_SEQUENCES}, and at least one frame"
        )
    seed, output = SEED if seed is None else seed, Path(output)
    write_record(output, name="mpi_inf_3dhp", seed=seed, fps=FPS)
    names = [f"S{subject}/Seq{number}" for subject in range(1, subjects + 1) for number in (1, 2)]
    recordings = [Recording(name, seed, frames, size) for name in names]
    tests = [Recording(f"TS{n}", seed, frames, size) for n in range(1, test_sequences + 1)]
    numbers = CAMERA_SETS[cameras]
    jobs = [(output, recording, camera) for recording in recordings for camera in numbers]
    jobs += [(output, recording, 0) for recording in tests]
    views = iter(collect(write_view, jobs, workers, progress))
    for recording in recordings:
        _write_training(output, recording, numbers, [*islice(views, len(numbers))])
    for recording, view in zip(tests, views, strict=True):
        chosen = MPI_INF_28.indices(MPI_INF_17.joints)
        labels = view.keypoints_px[:, chosen], view.joints_mm[:, chosen], view.activity
        write_test_annotations(recording.folder(output), *labels)


def _write_training(
    output: Path, recording: Recording, cameras: tuple[int, ...], views: list[ViewLabels]
) -> None:
    folder = recording.folder(output)
    write_train_annotations(
        folder,
        np.stack([view.keypoints_px for view in views]),
        np.stack([view.joints_mm for view in views]),
        cameras,
    )
    rig = studio_cameras(recording)
    write_calibration(folder, [_calibrated(number, rig[number]) for number in range(len(rig))])


def write_view(output: Path, recording: Recording, number: int) -> ViewLabels:
    """Render and write what one camera sees of a sequence."""
    from Datasets.synthetic.capture.camera_effects import CameraEffects
    from Datasets.synthetic.people.outfits import dress_person
    from Datasets.synthetic.people.phenotypes import draw_person
    from Datasets.synthetic.people.postures import ACTIVE, move_between_postures
    from Datasets.synthetic.render.renderer import Actor, Renderer

    rng = recording.rng(0)
    shape = draw_person(rng, "adult")
    look = dress_person(rng, shape, "adult")
    kinds = (*ACTIVE, "sitting", "kneeling", "running")
    movement, shown = move_between_postures(rng, shape, np.arange(recording.frames) / FPS, kinds)
    movement = movement.moved(yaw_degrees=rng.uniform(-180, 180)).centred()
    camera = _test_camera(recording) if recording.is_test else studio_cameras(recording)[number]
    background = _background(recording, camera)
    renderer = Renderer(background, [Actor(shape, look, int(rng.integers(2**31)))])
    effects = CameraEffects.draw(recording.rng(1, number))
    gains = effects.gains(renderer.empty)
    world = joints_28(shape, movement.turn, movement.place)
    joints_mm = 1000 * camera.to_camera(world)
    for frame, pose in enumerate(zip(movement.turn, movement.place, strict=True)):
        shot = renderer.render([pose])
        rgb = effects.develop(recording.rng(2, number, frame), shot.linear, gains)
        folder = recording.folder(output)
        if recording.is_test:
            write_test_image(folder, frame + 1, rgb)
        else:
            write_train_image(folder, number, frame + 1, rgb)
            write_train_mask(folder, number, frame + 1, shot.mask)
    activity = np.array([ACTIVITY.get(kind, 7) for kind in shown])
    return ViewLabels(project(joints_mm, camera.intrinsics), joints_mm, activity)


def joints_28(shape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The 28 joints of the training set, (frame, 28, 3), world frame, metres."""
    from Datasets.synthetic.people import body as bodies

    crown = bodies.face_points(shape, turn, place)[:, bodies.FACE_POINTS.index("head_top")]
    columns = [
        crown if joint == "head_top" else place[:, bodies.rig().index(BONES[joint])]
        for joint in MPI_INF_28.joints
    ]
    return np.stack(columns, axis=1)


def studio_cameras(recording: Recording) -> list[PlacedCamera]:
    """The 14 cameras of a training sequence; both sequences of a subject have the same."""
    rng = random_source(recording.seed, "rig", recording.name[:2])
    heights = {"chest": (1.2, 1.6), "knee": (0.4, 0.7), "above": (2.3, 2.9)}
    chest = CAMERA_SETS["mm3d_chest"]
    cameras = []
    for number in range(14):
        angle = np.radians(number * 360 / 11 + rng.uniform(-12, 12))
        level = "chest" if number in chest else "knee" if number in (1, 5, 9) else "above"
        away, height = rng.uniform(2.7, 3.4), rng.uniform(*heights[level])
        if number in CAMERA_SETS["ceiling"]:
            away, height = rng.uniform(0.6, 2.0), rng.uniform(3.9, 4.3)
        position = np.array([away * np.cos(angle), away * np.sin(angle), height])
        cameras.append(_aimed(rng, position, np.array([0.0, 0.0, 0.85]), recording.size))
    return cameras


def _aimed(
    rng: np.random.Generator, position: np.ndarray, target: np.ndarray, size: int
) -> PlacedCamera:
    """A camera with the official set's lens, a little out of true."""
    scale = size / OFFICIAL_PX
    focal = rng.uniform(1485, 1505, 2) * scale
    # A pixel's centre is at its integer coordinate, so that edges, not centres, scale.
    middle = (rng.uniform(1010, 1040, 2) + 0.5) * scale - 0.5
    rotation = rotation_towards(position, target)
    roll = Rotation.from_euler("z", rng.normal(0, 2), degrees=True).as_matrix()
    return PlacedCamera(intrinsics_matrix(*focal, *middle), (size, size), roll @ rotation, position)


def _test_camera(recording: Recording) -> PlacedCamera:
    rng, angle = recording.rng(3), recording.rng(4).uniform(0, 2 * np.pi)
    away = rng.uniform(2.5, 3.4)
    position = np.array([away * np.cos(angle), away * np.sin(angle), rng.uniform(0.8, 1.9)])
    return _aimed(rng, position, np.array([0.0, 0.0, 0.85]), recording.size)


def _background(recording: Recording, camera: PlacedCamera) -> Background:
    from Datasets.synthetic.places.place import Place
    from Datasets.synthetic.places.rooms import make_green_studio, make_outdoors, make_room

    if not recording.is_test or recording.name in ("TS1", "TS2"):
        return make_green_studio(camera, STUDIO_M, int(recording.rng(5).integers(2**31)))
    make = make_room if recording.name in ("TS3", "TS4") else make_outdoors
    return make(Place(recording.rng(5), camera, 1.4))


def _calibrated(number: int, camera: PlacedCamera) -> CalibratedCamera:
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = camera.rotation
    extrinsics[:3, 3] = -1000 * camera.rotation @ camera.position
    return CalibratedCamera(number, camera.intrinsics, extrinsics, camera.size)
