"""Pinhole cameras: intrinsics are (3, 3) in pixels, points are millimetres, camera frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def intrinsics_matrix(fx: float, fy: float, cx: float, cy: float) -> Float[np.ndarray, "3 3"]:
    """Assemble K from focal lengths and principal point in pixels."""
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


def intrinsics_from_fov(size: tuple[int, int], fov_degrees: float) -> Float[np.ndarray, "3 3"]:
    """Assume a camera: square pixels, centred, ``fov_degrees`` across the longer image side."""
    longer = max(size)
    focal = longer / 2 / np.tan(np.radians(fov_degrees) / 2)
    return intrinsics_matrix(focal, focal, (size[0] - 1) / 2, (size[1] - 1) / 2)


def project(joints_mm: np.ndarray, intrinsics: Float[np.ndarray, "3 3"]) -> np.ndarray:
    """Project (..., 3) camera-frame points to (..., 2) pixels; points behind the camera become NaN.

    >>> project(np.array([[100.0, 0.0, 1000.0]]), intrinsics_matrix(500, 500, 320, 240)).tolist()
    [[370.0, 240.0]]
    """
    points = np.asarray(joints_mm, dtype=np.float64) @ intrinsics.T
    depth = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
    return points[..., :2] / depth


def rays(keypoints_px: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Turn (..., joint, 2) pixels into (..., joint, 3) viewing rays with z = 1.

    ``intrinsics`` is one (3, 3) matrix, or (..., 3, 3) with one for each pose.
    """
    keypoints_px = np.asarray(keypoints_px, dtype=np.float64)
    ones = np.ones((*keypoints_px.shape[:-1], 1))
    inverse = np.linalg.inv(intrinsics)
    return np.concatenate([keypoints_px, ones], axis=-1) @ np.swapaxes(inverse, -1, -2)


def rotation_to_axis(ray: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Return the smallest rotations that take viewing rays onto the optical axis (0, 0, 1).

    Turning the camera so that the infant is in its centre removes the dependence of a pose's
    appearance on where in the frame it lies (a crop is a camera).
    """
    ray = np.asarray(ray, dtype=np.float64)
    x, y, z = np.moveaxis(ray / np.linalg.norm(ray, axis=-1, keepdims=True), -1, 0)
    zero = np.zeros_like(x)  # v = (x, y, z) x (0, 0, 1) = (y, -x, 0), as a matrix:
    rows = [[zero, zero, -x], [zero, zero, -y], [x, y, zero]]
    cross = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    return np.eye(3) + cross + cross @ cross / (1 + z)[..., None, None]


def rotation_to_box(
    box_xyxy: Float[np.ndarray, "4"], intrinsics: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "3 3"]:
    """Return the smallest rotation that takes the ray to a box's middle onto the optical axis."""
    return rotation_to_axis(rays(np.reshape(box_xyxy, (2, 2)).mean(axis=0), intrinsics))


def root_position(
    keypoints_px: Float[np.ndarray, "joint 2"],
    relative_mm: Float[np.ndarray, "joint 3"],
    intrinsics: Float[np.ndarray, "3 3"],
    weights: Float[np.ndarray, "joint"] | None = None,
) -> Float[np.ndarray, "3"]:
    """Place a root-relative pose in the camera frame by linear least squares.

    Each joint gives two equations ``x_ray * (Z + rz) = X + rx`` and the same for y.

    Args:
        keypoints_px: joints in the image; NaN rows are ignored.
        relative_mm: the same joints relative to the root, camera axes.
        intrinsics: of the same image.
        weights: confidence per joint, default 1.

    Returns:
        Root position (X, Y, Z) in mm; NaN with fewer than three usable joints or unstable.
    """
    ray = rays(keypoints_px, intrinsics)[:, :2]
    weights = np.ones(len(ray)) if weights is None else np.asarray(weights, dtype=np.float64)
    usable = np.isfinite(ray).all(1) & np.isfinite(relative_mm).all(1) & (weights > 0)
    if usable.sum() < 3:
        return np.full(3, np.nan)
    ray, relative, w = ray[usable], np.asarray(relative_mm)[usable], np.sqrt(weights[usable])
    zero, one = np.zeros(len(ray)), np.ones(len(ray))
    rows_x = np.stack([one, zero, -ray[:, 0]], axis=1) * w[:, None]
    rows_y = np.stack([zero, one, -ray[:, 1]], axis=1) * w[:, None]
    right_x = (ray[:, 0] * relative[:, 2] - relative[:, 0]) * w
    right_y = (ray[:, 1] * relative[:, 2] - relative[:, 1]) * w
    system, right = np.concatenate([rows_x, rows_y]), np.concatenate([right_x, right_y])
    solution, _, rank, _ = np.linalg.lstsq(system, right, rcond=1e-4)
    return solution if rank == 3 and solution[2] > 0 else np.full(3, np.nan)
