"""The body: anny's infant shapes, forward kinematics and skinning in NumPy.

Body frame: metres, x to the body's left, y to its back, z to its head (anny's rest frame). A pose
is one rotation per bone about axes of this frame, applied at the bone's head and inherited by its
children.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.spatial.transform import Rotation

from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.synthetic.people.joint_places import (
    FACE_POINTS,
    OF_INFANT,
    at_ear_canals,
    mini_rgbd_places,
)

SIDES = ("L", "R")
SPINE = ("spine04", "spine03", "spine02", "spine01")
NECK = ("neck01", "neck02", "neck03", "head")


@dataclass(frozen=True)
class Rig:
    """What all bodies share: topology, skinning and names.

    Attributes:
        bones: bone names, parents before children.
        parents: index of each bone's parent, -1 for the root.
        faces: (face, 3) vertex indices.
        weights: (vertex, bone) sparse skinning weights, rows sum to 1.
        face_to_vertex: (vertex, face) sparse incidence, for vertex normals.
    """

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    faces: np.ndarray
    weights: sparse.csr_matrix
    face_to_vertex: sparse.csr_matrix

    def index(self, bone: str) -> int:
        """Position of a bone."""
        return self.bones.index(bone)


@dataclass(frozen=True)
class BodyShape:
    """One person at rest.

    Attributes:
        vertices: (vertex, 3) metres, body frame.
        heads: (bone, 3) joint positions, metres, body frame.
        face_points: (6, 3) ``FACE_POINTS`` at rest, metres, body frame.
        age: anny's age, which decides looks: -1/3 newborn, 0 baby, 2/3 young adult, 1 old.
        age_weeks: age in weeks.
        length_m: crown to heel, metres.
        joint_places: where labelled joints lie, a key of ``joint_places.CONVENTIONS``.
    """

    vertices: Float[np.ndarray, "vertex 3"]
    heads: Float[np.ndarray, "bone 3"]
    face_points: Float[np.ndarray, "6 3"]
    age: float
    age_weeks: float = float("nan")
    length_m: float = float("nan")
    joint_places: str = "bone heads"

    @property
    def trunk_m(self) -> float:
        """From the neck to the middle of the hips, metres."""
        neck, *hips = (
            self.heads[rig().index(bone)] for bone in ("neck01", "upperleg01.L", "upperleg01.R")
        )
        return float(np.linalg.norm(neck - (hips[0] + hips[1]) / 2))


@dataclass(frozen=True)
class Posed:
    """A body in one posture, or in one per frame.

    World frame: metres, z up; the floor, or the bed of an infant that lies, is the plane z = 0.

    Attributes:
        turn: (..., bone, 3, 3) orientation of the bones in the world relative to rest.
        place: (..., bone, 3) bone heads, metres.
        kind: name of the family of postures.
    """

    turn: Float[np.ndarray, "... bone 3 3"]
    place: Float[np.ndarray, "... bone 3"]
    kind: str = ""

    def moved(
        self, x: float = 0.0, y: float = 0.0, yaw_degrees: float = 0.0, z: float = 0.0
    ) -> Posed:
        """Turned about the vertical through the origin, then shifted, metres."""
        yaw = Rotation.from_euler("z", yaw_degrees, degrees=True).as_matrix()
        return Posed(yaw @ self.turn, self.place @ yaw.T + [x, y, z], self.kind)

    def centred(self) -> Posed:
        """Shifted on the floor so that its bones, of all frames, are around the origin."""
        points = self.place.reshape(-1, 3)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return self.moved(-middle[0], -middle[1])


@lru_cache(maxsize=1)
def _anny():
    """Load anny once per process; its asset cache is built on first use (about 40 s)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import warp

            warp.config.log_level = warp.LOG_ERROR
            import anny

            model = anny.Anny(phenotypes="all")
            return model, anny.KeypointsRegressor.coco(model)
    except ImportError as error:
        from Engine.errors import DataError

        raise DataError(
            f"generating infants needs the 'synthetic' extra ({error.name} is missing): "
            "pip install 'infantpose[synthetic]'"
        ) from error


@lru_cache(maxsize=1)
def rig() -> Rig:
    """Return the topology, skinning weights and bone tree."""
    model, _ = _anny()
    faces = model.get_triangular_faces().numpy().astype(np.int32)
    count = len(model.template_vertices)
    columns = model.vertex_bone_indices.numpy()
    rows = np.repeat(np.arange(count), columns.shape[1])
    weights = sparse.csr_matrix(
        (model.vertex_bone_weights.numpy().ravel(), (rows, columns.ravel())),
        shape=(count, len(model.bone_labels)),
    )
    incidence = sparse.csr_matrix(
        (np.ones(faces.size, np.float32), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))),
        shape=(count, len(faces)),
    )
    return Rig(
        bones=tuple(model.bone_labels),
        parents=tuple(int(p) for p in model.bone_parents),
        faces=faces,
        weights=weights,
        face_to_vertex=incidence,
    )


@lru_cache(maxsize=64)
def weight_of(prefixes: tuple[str, ...]) -> np.ndarray:
    """Skinning weight (vertex,) of all bones whose names begin so; read-only."""
    columns = [i for i, bone in enumerate(rig().bones) if bone.startswith(prefixes)]
    weights = np.asarray(rig().weights[:, columns].sum(axis=1)).ravel()
    weights.setflags(write=False)
    return weights


def make_shape(phenotype: dict[str, float]) -> BodyShape:
    """Build one infant from anny's phenotype values (age -1/3 newborn ... 0; the rest 0 ... 1)."""
    import torch

    model, regressor = _anny()
    with torch.no_grad(), _one_thread():
        out = model(phenotype_kwargs=phenotype, pose_parameters=None)
        coco = dict(zip(regressor.labels, regressor(out)[0].numpy(), strict=True))
    vertices = out["vertices"][0].numpy()
    heads = out["bone_poses"][0, :, :3, 3].numpy()
    crown = vertices[:, 2].max() - vertices[:, 2] < 0.01
    face = [*(coco[name] for name in FACE_POINTS[:-1]), vertices[crown].mean(axis=0)]
    points = at_ear_canals(np.stack(face))
    return BodyShape(vertices, heads, points, float(phenotype["age"]))


@contextlib.contextmanager
def _one_thread():
    """Sum in one fixed order, so that a body does not depend on the number of threads."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def forward_kinematics(
    shape: BodyShape,
    rotations: dict[str, Float[np.ndarray, "frame 3 3"]],
    root_rotation: Float[np.ndarray, "frame 3 3"],
    root_position: Float[np.ndarray, "frame 3"],
) -> tuple[Float[np.ndarray, "frame bone 3 3"], Float[np.ndarray, "frame bone 3"]]:
    """Pose the bones.

    Args:
        shape: the body at rest.
        rotations: per bone name, rotation in body axes; bones not named stay at rest.
        root_rotation: body frame to world frame.
        root_position: world position of the root bone's head, metres.

    Returns:
        World orientation of every bone relative to rest, and world position of its head, metres.
    """
    bones, parents = rig().bones, rig().parents
    turn = np.empty((len(root_rotation), len(bones), 3, 3))
    place = np.empty((len(root_rotation), len(bones), 3))
    for i, (bone, parent) in enumerate(zip(bones, parents, strict=True)):
        if parent < 0:
            base, place[:, i] = root_rotation, root_position
        else:
            base = turn[:, parent]
            offset = shape.heads[i] - shape.heads[parent]
            place[:, i] = place[:, parent] + base @ offset
        turn[:, i] = base @ rotations[bone] if bone in rotations else base
    return turn, place


def skin(
    shape: BodyShape,
    turn: Float[np.ndarray, "bone 3 3"],
    place: Float[np.ndarray, "bone 3"],
    vertices: Float[np.ndarray, "vertex 3"] | None = None,
) -> Float[np.ndarray, "vertex 3"]:
    """Linear blend skinning of one frame; ``vertices`` replaces the rest vertices (clothes)."""
    rest = shape.vertices if vertices is None else vertices
    offset = place - np.einsum("bij,bj->bi", turn, shape.heads)
    blended = rig().weights @ np.concatenate([turn.reshape(-1, 9), offset], axis=1)
    return np.einsum("vij,vj->vi", blended[:, :9].reshape(-1, 3, 3), rest) + blended[:, 9:]


def vertex_normals(vertices: Float[np.ndarray, "vertex 3"]) -> Float[np.ndarray, "vertex 3"]:
    """Area-weighted unit normals."""
    a, b, c = (vertices[rig().faces[:, k]] for k in range(3))
    normals = rig().face_to_vertex @ np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def face_points(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """World positions (frame, 6, 3) of ``FACE_POINTS``, carried by the head bone, metres."""
    head = rig().index("head")
    offset = shape.face_points - shape.heads[head]
    return place[:, head, None] + np.einsum("fij,pj->fpi", turn[:, head], offset)


def mini_rgbd_joints(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The 25 MINI-RGBD joints, (frame, 25, 3), world frame, metres; see ``joint_places``."""
    names, offsets = mini_rgbd_places(shape.joint_places)
    bones = [rig().index(bone) for bone in names]
    off = np.einsum("fjab,jb->fja", turn[:, bones], shape.trunk_m * offsets)
    joints = place[:, bones] + off
    return np.concatenate([joints, face_points(shape, turn, place)[:, :1]], axis=1)


def infant_joints(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The joints of the canonical skeleton, (frame, 25, 3), world frame, metres."""
    return named_joints(mini_rgbd_joints(shape, turn, place), face_points(shape, turn, place))


def named_joints(
    mini: Float[np.ndarray, "frame 25 3"], face: Float[np.ndarray, "frame 6 3"]
) -> Float[np.ndarray, "frame 25 3"]:
    """The joints of the canonical skeleton from MINI-RGBD's and ``FACE_POINTS``."""
    columns = [
        face[:, FACE_POINTS.index(joint)]
        if joint in FACE_POINTS
        else mini[:, MINI_RGBD_25.index(OF_INFANT.get(joint, joint))]
        for joint in INFANT.joints
    ]
    return np.stack(columns, axis=1)
