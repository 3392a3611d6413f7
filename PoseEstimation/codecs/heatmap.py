"""Heatmaps: 2D joints of a crop as one map per joint, decoded with sub-pixel accuracy (DARK)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Num
from torch import Tensor

from Engine.settings import Settings, limited, share

FIT_RADIUS = 2
"""Half width in map pixels of the window in which the log-density is fitted."""

SCORE_REACH, SPREAD_REACH = 1.5, 6.0
"""Radius, in target sigmas, within which the score and the spread of a density are measured."""

QUANTISATION = 12**-0.5
"""Standard deviation in map pixels of a position that is known to one map pixel."""


@dataclass(frozen=True)
class HeatmapCodec(Settings):
    """Joints in crop pixels to maps and back.

    Crop and map cover the same area with their edges aligned: ``x_map = (x_px + 0.5) h / S - 0.5``.

    Attributes:
        input_size: side of the square crop in pixels.
        heatmap_size: side of the square map in map pixels.
        sigma: of the Gaussian target in map pixels.
        kind: ``softmax``: the network's output becomes a density by a softmax over the map (to be
            trained with cross-entropy); ``gaussian``: the output imitates a Gaussian of height 1
            (to be trained with MSE, as published).
        crop_margin: side of the crop over the longer side of the person's box.
        sigma_scale: factor that calibrates sigma, measured on validation data.
        reach: width of a Gaussian reward of the distance to the truth, as COCO's OKS, over the
            map's side: a joint is put where the expected reward is highest (the maximum of the
            density blurred by this width); 0: the density's own maximum.
    """

    input_size: int = limited(256, 1, 4096)
    heatmap_size: int = limited(64, 1, 4096)
    sigma: float = limited(2.0, 0.1, 100.0)
    kind: Literal["softmax", "gaussian"] = "softmax"
    crop_margin: float = limited(1.25, 0.1, 10.0)
    sigma_scale: float = limited(1.0, 0.0, 1e6)
    reach: float = share(0.0)

    @property
    def stride(self) -> float:
        """Crop pixels per map pixel."""
        return self.input_size / self.heatmap_size

    def encode(
        self,
        keypoints_px: Float[Tensor, "batch joint 2"],
        visibility: Num[Tensor, "batch joint"],
    ) -> tuple[Float[Tensor, "batch joint height width"], Float[Tensor, "batch joint"]]:
        """Draw a Gaussian at each joint's true sub-pixel centre.

        Args:
            keypoints_px: crop pixels; anything where unlabelled.
            visibility: 0 unlabelled, 1 occluded, 2 visible.

        Returns:
            Target maps (sum 1 for ``softmax``, height 1 for ``gaussian``) and weights: 1 for a
            labelled joint (visible or not) inside the crop, else 0.
        """
        centre = (keypoints_px.float() + 0.5) / self.stride - 0.5
        inside = ((centre > -0.5) & (centre < self.heatmap_size - 0.5)).all(-1)
        weights = (inside & (visibility > 0)).float()
        centre = torch.where(weights[..., None] > 0, centre, 0.0)
        grid = torch.arange(self.heatmap_size, device=centre.device, dtype=torch.float32)
        square = (grid - centre[..., None]) ** 2  # (batch, joint, xy, cell)
        profile = torch.exp(-square / (2 * self.sigma**2))
        if self.kind == "softmax":
            profile = profile / profile.sum(-1, keepdim=True)
        return profile[..., 1, :, None] * profile[..., 0, None, :], weights

    def decode(
        self, maps: Float[Tensor, "batch joint height width"]
    ) -> tuple[
        Float[Tensor, "batch joint 2"], Float[Tensor, "batch joint"], Float[Tensor, "batch joint"]
    ]:
        """Locate each joint, with its confidence and its standard deviation.

        Args:
            maps: raw network output.

        Returns:
            Crop pixels; scores 0 to 1 (softmax: the share of the density around its mode, 1 for as
            much as a target holds there; gaussian: height of the peak); standard deviation per
            axis in crop pixels, from the spread around the place beyond the target's own (in a
            gaussian map, cells under a twentieth of the peak are taken for noise).
        """
        with torch.autocast(maps.device.type, enabled=False):
            return self._decode(maps.float())

    def _decode(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        density = self.density(maps)
        mode = self._refine(density, _argmax(_blur(density, self.sigma)))
        distance = _square_distance(mode, density.shape[-1])
        if self.kind == "softmax":
            scores = _inside(density, distance, SCORE_REACH * self.sigma).flatten(2).sum(-1)
            scores = scores / (1 - math.exp(-0.5 * SCORE_REACH**2))
        else:
            scores = maps.flatten(2).amax(-1)
            density = torch.where(density > 0.05 * density.amax((-2, -1), True), density, 0.0)
        place = mode
        if self.reach:
            gain = _gain(density, self.reach * density.shape[-1])
            place = self._refine(gain, _argmax(gain))
            distance = _square_distance(place, density.shape[-1])
        near = _inside(density, distance, SPREAD_REACH * self.sigma)
        variance = (near * distance).flatten(2).sum(-1) / 2
        variance = variance / near.flatten(2).sum(-1).clamp_min(1e-9) - self.sigma**2
        sigma = (variance.clamp_min(0) + QUANTISATION**2).sqrt()
        return (place + 0.5) * self.stride - 0.5, scores.clamp(0, 1), sigma * self.stride

    def density(
        self, maps: Float[Tensor, "batch joint height width"]
    ) -> Float[Tensor, "batch joint height width"]:
        """Turn raw network output into one probability density per joint."""
        if self.kind == "softmax":
            return maps.float().flatten(2).softmax(-1).view_as(maps)
        positive = maps.float().clamp_min(0)
        return positive / positive.sum((-2, -1), keepdim=True).clamp_min(1e-9)

    def _refine(self, density: Tensor, mode: Tensor) -> Tensor:
        """One Newton step on the log-density (DARK; Zhang et al., CVPR 2020).

        Gradient and Hessian come from a least-squares paraboloid over a window, which smooths as
        DARK's blur does and is exact for a Gaussian up to the border of the map.
        """
        size, r = density.shape[-1], FIT_RADIUS
        start = mode.clamp(r, size - 1 - r)  # (batch, joint, xy)
        offset = torch.arange(-r, r + 1, device=density.device)
        columns, rows = start[..., :1] + offset, start[..., 1:] + offset
        cells = (rows[..., :, None] * size + columns[..., None, :]).flatten(2)
        floor = 1e-4 * density.flatten(2).amax(-1, keepdim=True)
        window = density.flatten(2).gather(-1, cells)
        log = torch.maximum(window, floor.clamp_min(1e-30)).log()
        _, gx, gy, hxx, hxy, hyy = (log @ _paraboloid(r, log.device)).unbind(-1)
        determinant = hxx * hyy - hxy**2
        peaked = (determinant > 1e-9) & (hxx < 0)
        determinant = torch.where(peaked, determinant, 1.0)
        step = torch.stack([hxy * gy - hyy * gx, hxy * gx - hxx * gy], -1) / determinant[..., None]
        place = start + step.clamp(-r - 0.5, r + 0.5)
        near = (place - mode).abs().amax(-1) <= r
        place = torch.where((peaked & near)[..., None], place, mode.float())
        return place.clamp(-0.5, size - 0.5)


def _argmax(maps: Tensor) -> Tensor:
    """Positions (batch, joint, xy) of the maxima in whole map pixels."""
    index = maps.flatten(2).argmax(-1)
    size = maps.shape[-1]
    return torch.stack([index % size, index.div(size, rounding_mode="floor")], -1)


def _square_distance(place: Tensor, size: int) -> Tensor:
    """Squared distance (batch, joint, height, width) of each cell to ``place``, in map pixels."""
    grid = torch.arange(size, device=place.device, dtype=place.dtype)
    dx, dy = ((grid - place[..., i : i + 1]) ** 2 for i in (0, 1))
    return dy[..., :, None] + dx[..., None, :]


def _inside(density: Tensor, square_distance: Tensor, radius: float) -> Tensor:
    """The density within a radius, zero elsewhere."""
    return torch.where(square_distance <= radius**2, density, 0.0)


def _blur(maps: Tensor, sigma: float) -> Tensor:
    """Gaussian blur that renormalises at the border."""
    kernel = _kernel(maps, sigma)
    kernel = kernel / kernel.sum(-1, keepdim=True)
    return kernel @ maps @ kernel.T


def _gain(density: Tensor, width: float) -> Tensor:
    """Expected reward of each cell, a Gaussian of the distance to the truth."""
    kernel = _kernel(density, width)
    return kernel @ density @ kernel


def _kernel(maps: Tensor, sigma: float) -> Tensor:
    grid = torch.arange(maps.shape[-1], device=maps.device, dtype=maps.dtype)
    return torch.exp(-((grid[:, None] - grid) ** 2) / (2 * sigma**2))


def _paraboloid(radius: int, device: torch.device) -> Tensor:
    """Least-squares fit of value, gradient and Hessian: (cell, 6), times the cells' values."""
    axis = torch.arange(-radius, radius + 1, dtype=torch.float64)
    y, x = (v.flatten() for v in torch.meshgrid(axis, axis, indexing="ij"))
    design = torch.stack([torch.ones_like(x), x, y, x * x / 2, x * y, y * y / 2], -1)
    return torch.linalg.pinv(design).T.float().to(device)
