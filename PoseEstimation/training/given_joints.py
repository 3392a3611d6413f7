"""Which joints a clip is given: those of one convention, as other people's 2D has them.

A joint that a convention lacks is missing in every frame of a clip. A lifter that learnt from
complete poses alone does not know such clips.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from Datasets.skeletons import COCO_17, INFANT, LSP_14, MINI_RGBD_25, MPII_16, Skeleton
from Datasets.skeletons.convert import joint_map

_LIMBS = ("shoulder", "elbow", "hip", "knee", "ankle")
TRACKED_14 = (
    *("nose", "upper_neck"),
    *(f"{side}_{part}" for part in (*_LIMBS, "fingers") for side in ("left", "right")),
)
"""The joints of published 2D tracks of MINI-RGBD."""


def _shared(skeleton: Skeleton) -> tuple[str, ...]:
    """Joints of the canonical skeleton that another one has."""
    rows, _ = joint_map(skeleton, INFANT).index_lists
    return tuple(INFANT.joints[row] for row in rows)


JOINT_SETS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "infant": (INFANT.joints, 0.2),
    "mini_rgbd_25": (_shared(MINI_RGBD_25), 0.2),
    "tracked_14": (TRACKED_14, 0.15),
    "coco_17": (COCO_17.joints, 0.15),
    "mpii_16": (_shared(MPII_16), 0.1),
    "lsp_14": (_shared(LSP_14), 0.1),
    "pairs": ((), 0.1),
}
"""Joints, and share of the clips; ``pairs`` draws for each pair or single joint if it is given."""

PAIR_GIVEN = 0.75
CORNERS_GIVEN = 0.95
"""Probabilities of ``pairs``: of any joints, and of the shoulders and of the hips."""


def draw_given_joints(rng: np.random.Generator, skeleton: Skeleton) -> Bool[np.ndarray, "joint"]:
    """Draw the joints that one clip is given; of ``skeleton``, by the names of ``infant``."""
    names = list(JOINT_SETS)
    name = names[int(rng.choice(len(names), p=[share for _, share in JOINT_SETS.values()]))]
    if name == "pairs":
        return _draw_pairs(rng, skeleton)
    given = JOINT_SETS[name][0]
    return np.array([joint in given or joint not in INFANT.joints for joint in skeleton.joints])


def _draw_pairs(rng: np.random.Generator, skeleton: Skeleton) -> Bool[np.ndarray, "joint"]:
    """Keep or remove each joint together with its mirror image."""
    share = [
        CORNERS_GIVEN if joint.endswith(("_shoulder", "_hip")) else PAIR_GIVEN
        for joint in skeleton.joints
    ]
    kept = rng.random(len(skeleton)) < share
    first = np.minimum(np.arange(len(skeleton)), np.array(skeleton.flip_indices))
    return kept[first]
