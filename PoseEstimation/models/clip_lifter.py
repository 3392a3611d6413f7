"""The lifter of videos: bodies have bones, and a clip shows each of them from many sides.

One picture shows neither how long a limb is nor which way it points in depth. A clip does better:
the weighted mean over its frames tells the lengths of the bones and, by their proportions, the
body's size; convolutions over time (Pavllo et al., CVPR 2019) steady each frame. Then every joint
is placed on its ray at its bone's length from its parent (Taylor, CVIU 2000), which leaves two
places; the network says how far it leans to either.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from PoseEstimation.models.configs import ClipLifterConfig


class Lifted(NamedTuple):
    """What the network says about a clip, in the codec's unit and view.

    Attributes:
        joints: (clip, run, frame, joint, 3) relative to the root, which is at exactly (0, 0, 0).
        log_sigma: (clip, run, frame, joint) log of the standard deviation per axis.
        log_lengths: (clip, run or 1, frame or 1, bone) log of the bones' lengths.
    """

    joints: Float[Tensor, "clip run frame joint 3"]
    log_sigma: Float[Tensor, "clip run frame joint"]
    log_lengths: Float[Tensor, "clip run_or_1 frame_or_1 bone"]


class ClipLifter(nn.Module):
    """Features of a clip in, joints in 3D out."""

    def __init__(self, config: ClipLifterConfig) -> None:
        super().__init__()
        self.config = config
        width, bones = config.width, len(config.bones)
        blocks = range(config.frame_blocks)
        self.stem = nn.Linear(config.num_joints * config.in_features + bones + 1, width)
        self.before = nn.ModuleList(FrameBlock(width, config.dropout) for _ in blocks)
        self.times = nn.ModuleList(
            TimeBlock(width, dilation, config.causal, config.dropout)
            for dilation in config.dilations
        )
        self.context = ClipContext(width, bones, config.causal) if config.context else None
        self.body = nn.Linear(width, bones + 1)
        self.size = nn.Linear(bones, 1)
        self.told = nn.Linear(bones, width)
        self.after = nn.ModuleList(FrameBlock(width, config.dropout) for _ in blocks)
        self.norm = nn.LayerNorm(width)
        self.across = nn.Linear(width, config.num_joints * 2)
        self.lean = nn.Linear(width, bones)
        self.beyond = nn.Linear(width, bones)
        self.log_sigma = nn.Linear(width, config.num_joints)
        for layer in (self.body, self.size, self.across, self.lean, self.beyond, self.log_sigma):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        features: Float[Tensor, "clip run frame joint feature"],
        radius: Float[Tensor, "clip"],
    ) -> Lifted:
        """Lift clips.

        A clip is one infant before one camera; the frames of a run follow one another, its runs
        may come from anywhere in the video.

        Args:
            features: of ``RayCodec``: joints in units of the clip's radius.
            radius: of the clip's 2D poses, as a share of their distance.
        """
        with torch.autocast(features.device.type, enabled=False):
            features, radius = features.float(), radius.float().view(-1, 1, 1, 1)
            near = (10 * radius).expand(*features.shape[:3], 1)
            seen = self._seen_lengths(features)
            hidden = self.stem(torch.cat([features.flatten(-2), seen, near], -1))
        for block in self.before:
            hidden = block(hidden)
        for block in self.times:
            hidden = block(hidden)
        mean = hidden if self.context is None else self.context(hidden, seen)
        shape, log_size = self._body(mean)
        hidden = hidden + mean + self.told(shape)
        for block in self.after:
            hidden = block(hidden)
        with torch.autocast(features.device.type, enabled=False):
            hidden = self.norm(hidden.float())
            joints = self._place(hidden, features, radius, shape.exp())
            joints = log_size[..., None].exp() * joints
            return Lifted(joints, self.log_sigma(hidden), shape + log_size)

    def _seen_lengths(self, features: Tensor) -> Tensor:
        """Lengths of the bones as they look, 0 where an end is missing."""
        first, second = torch.as_tensor(self.config.bones, device=features.device).T
        places, usable = features[..., :2], features[..., 2]
        length = (places[..., second, :] - places[..., first, :]).norm(dim=-1)
        return length * usable[..., first] * usable[..., second]

    def _body(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Log lengths of the bones in units of the radius, and log of that unit.

        Proportions tell the age and with it the size, so size follows from them, give or take.
        """
        with torch.autocast(mean.device.type, enabled=False):
            body = self.body(mean.float())
            shape = body[..., list(self.config.twins)]
            total = shape.exp().sum(-1, keepdim=True).log()
            return shape, self.size(shape - total) - total + body[..., -1:] + 3.0

    def _place(self, hidden: Tensor, features: Tensor, radius: Tensor, lengths: Tensor) -> Tensor:
        """Put each joint on its ray at its bone's length from its parent; then centre the root."""
        moved = self.across(hidden).unflatten(-1, (self.config.num_joints, 2))
        rays = features[..., :2] + moved
        lean, beyond = self.lean(hidden), self.beyond(hidden)
        root = self.config.root_index
        zero = torch.zeros_like(rays[..., root, :1])
        placed = {root: torch.cat([rays[..., root, :], zero], -1)}
        for i, (parent, child) in enumerate(self.config.bones):
            ray, bone = rays[..., child, :], slice(i, i + 1)
            depth = beyond[..., bone] + placed[parent][..., 2:]
            if self.config.rigid:
                middle, reach = on_ray(ray, radius, placed[parent], lengths[..., bone])
                depth = middle + torch.tanh(lean[..., bone]) * reach + beyond[..., bone]
            placed[child] = torch.cat([ray * (1 + radius * depth), depth], -1)
        joints = torch.stack([placed[j] for j in range(self.config.num_joints)], -2)
        return joints - joints[..., root : root + 1, :]

    @property
    def num_parameters(self) -> int:
        """Number of trained values."""
        return sum(p.numel() for p in self.parameters())


def on_ray(
    ray: Float[Tensor, "*batch 2"],
    radius: Float[Tensor, "*batch 1"],
    parent: Float[Tensor, "*batch 3"],
    length: Float[Tensor, "*batch 1"],
) -> tuple[Float[Tensor, "*batch 1"], Float[Tensor, "*batch 1"]]:
    """Where a ray is at a distance from a point: depths ``middle - reach`` and ``middle + reach``.

    A point of the ray at depth z is (ray (1 + radius z), z). Where the ray passes by at more than
    the distance, reach is (nearly) zero and middle is its nearest point.
    """
    away, slope = ray - parent[..., :2], radius * ray
    square = 1 + slope.square().sum(-1, keepdim=True)
    half = (away * slope).sum(-1, keepdim=True) - parent[..., 2:]
    constant = away.square().sum(-1, keepdim=True) + parent[..., 2:].square() - length.square()
    inside = half.square() - square * constant
    return -half / square, (inside.clamp_min(0) + 1e-6).sqrt() / square


class FrameBlock(nn.Module):
    """Residual perceptron over the values of one frame."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.Dropout(dropout),
        )

    def forward(self, hidden: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """Add what the layers see."""
        return hidden + self.layers(hidden)


class TimeBlock(nn.Module):
    """Residual convolution over three frames; the first and last frames repeat beyond the ends."""

    def __init__(self, width: int, dilation: int, causal: bool, dropout: float) -> None:
        super().__init__()
        self.dilation, self.causal = dilation, causal
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, width)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width))

    def forward(
        self, hidden: Float[Tensor, "clip run frame width"]
    ) -> Float[Tensor, "clip run frame width"]:
        """Add what the layers see."""
        frames = torch.arange(hidden.shape[2], device=hidden.device)
        steps = (-2, -1, 0) if self.causal else (-1, 0, 1)
        normed = self.norm(hidden)
        seen = [
            normed[:, :, (frames + step * self.dilation).clamp(0, len(frames) - 1)]
            for step in steps
        ]
        return hidden + self.out(self.mix(torch.cat(seen, -1)))


class ClipContext(nn.Module):
    """What the clip says about the infant: the mean of its frames, and its bones at full length.

    A bone that turns shows its length when it is seen from the side: the powers' means over the
    clip go from its mean to its greatest length.
    """

    POWERS = (1, 4, 16)

    def __init__(self, width: int, bones: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.norm = nn.LayerNorm(width)
        self.value = nn.Sequential(nn.Linear(width, width), nn.GELU())
        self.weight = nn.Linear(width, width)
        self.lengths = nn.Linear(len(self.POWERS) * bones, width)
        self.out = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, width)
        )

    def forward(
        self,
        hidden: Float[Tensor, "clip run frame width"],
        seen: Float[Tensor, "clip run frame bone"],
    ) -> Float[Tensor, "clip run_or_1 frame_or_1 width"]:
        """Over all runs and frames, or over the frames until now when causal."""
        normed = self.norm(hidden)
        weight = self.weight(normed).float().clamp(-8, 8).exp()
        mean = self._mean(self.value(normed).float(), weight)
        counted = (seen > 0).float()
        with torch.autocast(hidden.device.type, enabled=False):
            powers = [self._mean(seen**p, counted).clamp_min(1e-12) ** (1 / p) for p in self.POWERS]
            lengths = self.lengths(torch.cat(powers, -1))
        return self.out(torch.cat([mean, lengths], -1))

    def _mean(self, values: Tensor, weights: Tensor) -> Tensor:
        total, weight = values * weights, weights
        if self.causal:
            total, weight = total.cumsum(2), weight.cumsum(2)
        else:
            total, weight = (v.sum((1, 2), keepdim=True) for v in (total, weight))
        return total / weight.clamp_min(1e-6)
