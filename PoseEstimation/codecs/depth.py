"""Depth of joints in the output of a 2D network: behind the pelvis, in the crop's own unit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class DepthCodec:
    """Depth maps: each joint's map is read where its heatmap says that the joint is (2.5D).

    A joint's depth is how far it lies behind the pelvis along the ray of the pelvis, over the
    pelvis's distance, times the crop's focal length: the number of crop pixels that the same
    length has across. It depends on the crop alone, not on the infant's size or on the camera's
    distance (Iqbal et al., ECCV 2018). Maps hold it in crop sides.

    Attributes:
        root_index: the pelvis.
        input_size: side of the square crop in pixels.
    """

    root_index: int
    input_size: int

    def encode(
        self,
        joints_mm: Float[Tensor, "batch joint 3"],
        intrinsics: Float[Tensor, "batch 3 3"],
        weights: Float[Tensor, "batch joint"],
    ) -> tuple[Float[Tensor, "batch joint"], Float[Tensor, "batch joint"]]:
        """Compute the targets of the maps.

        Args:
            joints_mm: millimetres, camera frame; NaN where unlabelled.
            intrinsics: of the crop; NaN when unknown.
            weights: 1 for joints that count.

        Returns:
            Depth in crop sides, and weights: 0 also where depth is unlabelled.
        """
        root = joints_mm[:, self.root_index]
        distance = root.norm(dim=-1, keepdim=True)
        along = torch.einsum("bjc,bc->bj", joints_mm - root[:, None], root / distance)
        focal = torch.linalg.det(intrinsics[:, :2, :2]).abs().sqrt()[:, None]
        depth = along / distance * focal / self.input_size
        known = torch.isfinite(depth)
        return torch.where(known, depth, 0.0), weights * known

    def decode(
        self,
        maps: Float[Tensor, "batch joint height width"],
        density: Float[Tensor, "batch joint height width"],
    ) -> Float[Tensor, "batch joint"]:
        """Read the maps under each joint's density: depth in crop pixels."""
        return read_maps(maps, density) * self.input_size


def read_maps(
    maps: Float[Tensor, "batch joint height width"],
    density: Float[Tensor, "batch joint height width"],
) -> Float[Tensor, "batch joint"]:
    """Mean of each map under a density."""
    return (maps.float() * density).sum((-2, -1))
