"""How far a posed body runs through itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import warp as wp
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, weight_of

ARM = ("lowerarm", "wrist", "metacarpal", "finger")
LEG = ("upperleg02", "lowerleg", "foot", "toe")
WHOLE = {ARM: ("upperarm", "shoulder", *ARM), LEG: ("upperleg", *LEG)}
"""Bones of the free part of a limb, and of the whole limb."""
EVERY = 6
"""One vertex in so many is looked at."""


def buried_share(world: Float[np.ndarray, "vertex 3"]) -> float:
    """Share of forearms, hands, lower thighs, shanks and feet that is inside other parts.

    Args:
        world: vertices of one posed body, metres.
    """
    points = wp.array(np.ascontiguousarray(world, dtype=np.float32), dtype=wp.vec3)
    inside = 0.0
    for vertices, faces in _limbs():
        mesh = wp.Mesh(points, wp.array(faces, dtype=int), support_winding_number=True)
        found = wp.zeros(len(vertices), dtype=float)
        asked = wp.array(vertices, dtype=int)
        wp.launch(_winding_kernel, len(vertices), [mesh.id, points, asked, found])
        inside += float((found.numpy() > 0).mean())
    return inside / len(_limbs())


@lru_cache(maxsize=1)
def _limbs() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each limb: vertices of its free part, and the faces of all that is not the limb."""
    rig, limbs = bodies.rig(), []
    for free, whole in WHOLE.items():
        for side in SIDES:
            own = _weight(free, side) > 0.9
            other = (_weight(whole, side) < 0.5)[rig.faces].all(axis=1)
            vertices = np.flatnonzero(own)[::EVERY].astype(np.int32)
            limbs.append((vertices, rig.faces[other].ravel()))
    return tuple(limbs)


def _weight(bones: tuple[str, ...], side: str) -> np.ndarray:
    names = tuple(n for n in bodies.rig().bones if n.startswith(bones) and n.endswith(f".{side}"))
    return weight_of(names)


@wp.kernel
def _winding_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    asked: wp.array(dtype=int),
    found: wp.array(dtype=float),
):
    """1 where a point is inside the mesh."""
    i = wp.tid()
    p = points[asked[i]]
    hit = wp.mesh_query_point_sign_winding_number(mesh, p, 10.0, 2.0, 0.6)
    if hit.result and hit.sign < 0.0:
        found[i] = 1.0
