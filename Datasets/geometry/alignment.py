"""Alignments of one pose to another, for the aligned error measures."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def root_relative(joints_mm: np.ndarray, root_index: int) -> np.ndarray:
    """Subtract the root joint: (..., joint, 3) in any frame to root-relative, same axes."""
    joints_mm = np.asarray(joints_mm)
    return joints_mm - joints_mm[..., root_index : root_index + 1, :]


def procrustes(
    predicted: Float[np.ndarray, "joint 3"], target: Float[np.ndarray, "joint 3"]
) -> Float[np.ndarray, "joint 3"]:
    """Fit ``predicted`` to ``target`` by scale, rotation (never a reflection) and translation.

    Source: Umeyama (1991).
    """
    p_mean, t_mean = predicted.mean(axis=0), target.mean(axis=0)
    p, t = predicted - p_mean, target - t_mean
    u, s, vt = np.linalg.svd(t.T @ p)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    turn = u @ np.diag(signs) @ vt
    scale = (s * signs).sum() / max((p**2).sum(), 1e-12)
    return scale * p @ turn.T + t_mean


def scale_align(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Multiply a root-relative pose (joint, 3) by the factor that fits ``target`` best."""
    return predicted * ((predicted * target).sum() / max((predicted**2).sum(), 1e-12))
