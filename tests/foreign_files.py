"""The same 2D joints as the files that other programs write; places are counted by hand here."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from Datasets.skeletons import COCO_17

SIZE = (640, 480)

BODY_25 = dict(
    nose=0, right_shoulder=2, right_elbow=3, right_wrist=4, left_shoulder=5, left_elbow=6,
    left_wrist=7, right_hip=9, right_knee=10, right_ankle=11, left_hip=12, left_knee=13,
    left_ankle=14, right_eye=15, left_eye=16, right_ear=17, left_ear=18,
)  # fmt: skip
COCO_18 = dict(
    nose=0, right_shoulder=2, right_elbow=3, right_wrist=4, left_shoulder=5, left_elbow=6,
    left_wrist=7, right_hip=8, right_knee=9, right_ankle=10, left_hip=11, left_knee=12,
    left_ankle=13, right_eye=14, left_eye=15, right_ear=16, left_ear=17,
)  # fmt: skip
BLAZEPOSE = dict(
    nose=0, left_eye=2, right_eye=5, left_ear=7, right_ear=8, left_shoulder=11, right_shoulder=12,
    left_elbow=13, right_elbow=14, left_wrist=15, right_wrist=16, left_hip=23, right_hip=24,
    left_knee=25, right_knee=26, left_ankle=27, right_ankle=28,
)  # fmt: skip


def clip(frames: int = 4, seed: int = 0) -> np.ndarray:
    """COCO-17 joints (frame, 17, 3): x, y in whole pixels and a score; some are missing (NaN)."""
    generator = np.random.default_rng(seed)
    place = generator.integers(100, 380, (1, 17, 2)) + generator.integers(-9, 9, (frames, 17, 2))
    values = np.concatenate([place, generator.integers(50, 100, (frames, 17, 1)) / 100], axis=-1)
    values[1, 9] = np.nan
    return values


def placed(values: np.ndarray, places: dict[str, int], count: int) -> np.ndarray:
    """Joints of COCO-17 (17, 3) at their places among ``count``, zeros elsewhere."""
    result = np.zeros((count, 3))
    result[[places[name] for name in COCO_17.joints]] = np.nan_to_num(values)
    return result


def write_csv(path: Path, rows: list[list]) -> Path:
    """Write rows; NaN is an empty cell."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["" if v != v else v for v in row] for row in rows])
    return path


def write_json(path: Path, content) -> Path:
    """Write JSON."""
    path.write_text(json.dumps(content))
    return path


def deeplabcut(folder: Path, values: np.ndarray) -> Path:
    names = [name for name in COCO_17.joints for _ in range(3)]
    head = [["scorer", *["net"] * 51], ["bodyparts", *names]]
    head.append(["coords", *["x", "y", "likelihood"] * 17])
    return write_csv(folder / "dlc.csv", head + [[i, *v.ravel()] for i, v in enumerate(values)])


def sleap(folder: Path, values: np.ndarray) -> Path:
    columns = [f"{name}.{part}" for name in COCO_17.joints for part in ("x", "y", "score")]
    rows = [["infant", i, 0.9, *v.ravel()] for i, v in enumerate(values)]
    return write_csv(
        folder / "sleap.csv", [["track", "frame_idx", "instance.score", *columns], *rows]
    )


def wide(folder: Path, values: np.ndarray) -> Path:
    columns = [f"{name}_{part}" for name in COCO_17.joints for part in ("x", "y", "score")]
    rows = [[i / 30, *v.ravel()] for i, v in enumerate(values)]
    return write_csv(folder / "wide.csv", [["time_s", *columns], *rows])


def coco(folder: Path, values: np.ndarray) -> Path:
    entries = [
        {"image_id": 7 + i, "category_id": 1, "score": 0.9, "keypoints": v.ravel().tolist()}
        for i, v in enumerate(np.nan_to_num(values))
    ]
    return write_json(folder / "coco.json", entries[::-1])


def openpose_frame(values: np.ndarray, places: dict[str, int], count: int) -> dict:
    points = placed(values, places, count).ravel().tolist()
    return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": points}]}


def openpose(folder: Path, values: np.ndarray) -> Path:
    frames = folder / "openpose"
    frames.mkdir()
    for i, v in enumerate(values):
        path = frames / f"clip_{i:012d}_keypoints.json"
        write_json(path, openpose_frame(v, BODY_25, 25))
    return frames


def openpose_18(folder: Path, values: np.ndarray) -> Path:
    frames = [openpose_frame(v, COCO_18, 18) for v in values]
    return write_json(folder / "openpose.json", frames)


def mediapipe(folder: Path, values: np.ndarray) -> Path:
    frames = []
    for v in values:
        x, y, visibility = placed(v, BLAZEPOSE, 33).T
        columns = zip((x + 0.5) / SIZE[0], (y + 0.5) / SIZE[1], visibility, strict=True)
        frames.append([{"x": a, "y": b, "z": 0.1, "visibility": c} for a, b, c in columns])
    return write_json(folder / "mediapipe.json", frames)


def npz(folder: Path, values: np.ndarray) -> Path:
    names = np.array(COCO_17.joints)
    np.savez(folder / "a.npz", keypoints_px=values[..., :2], scores=values[..., 2], names=names)
    return folder / "a.npz"


WRITERS = (deeplabcut, sleap, wide, coco, openpose, openpose_18, mediapipe, npz)
