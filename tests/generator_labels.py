"""The labels that pin the generator: of one frame of each profile of a single infant.

Other machines must make the same. ``python tests/generator_labels.py`` writes them anew: for a new
version of the generator, and for no other reason.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.synthetic.people.body import infant_joints
from Datasets.synthetic.profiles.generation import GENERATOR_VERSION
from Datasets.synthetic.profiles.mini_rgbd import PROFILES, SequencePlan, pose_sequence
from Engine.files import write_json

FILE = (
    Path(__file__).parent
    / "datasets/synthetic/profiles"
    / f"labels_version_{GENERATOR_VERSION}.json"
)


def first_frame(profile: str) -> dict[str, np.ndarray]:
    """Labels of the first frame of a profile: pixels, and millimetres in camera axes."""
    plan = SequencePlan(profile, PROFILES[profile].seed, "11", 4, 30.0)
    shape, movement, camera = pose_sequence(plan)
    joints = infant_joints(shape, movement.turn[3:], movement.place[3:])
    joints_mm = 1000 * camera.to_camera(joints)[0]
    return {"keypoints_px": project(joints_mm, INTRINSICS), "joints_mm": joints_mm}


def main() -> None:
    """Write the labels of every profile."""
    labels = {name: first_frame(name) for name in sorted(PROFILES)}
    rounded = {
        profile: {name: values.round(4).tolist() for name, values in found.items()}
        for profile, found in labels.items()
    }
    write_json(FILE, rounded, indent=None)


if __name__ == "__main__":
    main()
