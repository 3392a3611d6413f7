"""The lifter of videos: bone lengths from the whole clip, depth signs from each frame.

One image shows neither how long a limb is nor which way it points in depth. Over a clip the
weighted mean of the frames gives the lengths of the bones and, through their proportions, the size
of the body; temporal convolutions (Pavllo et al., CVPR 2019) smooth each frame. Every joint is then
placed on its ray at its bone's length from its parent (Taylor, CVIU 2000). Two points of the ray
have this distance; the network predicts the sign of the depth.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from PoseEstimation.models.configs import ClipLifterConfig
from PoseEstimation.structures import Lifted

TYPICAL_SHAPE = -1.0
"""Log of the length of a bone in units of the radius, about the trunk, before anything is learnt;
geometry that begins far from the truth is not learnt but circumvented."""


class ClipLifter(nn.Module):
    """Features of a clip in, joints in 3D out."""

    def __init__(self, config: ClipLifterConfig) -> None:
        super().__init__()
        self.config = config
        width, bones = config.width, len(config.bones)
        last = {twin: bone for bone, twin in enumerate(config.twins)}
        self.partners = [last[twin] for twin in config.twins]
        blocks = range(config.frame_blocks)
        self.stem = nn.Linear(config.num_joints * config.in_features + bones + 1, width)
        self.before = nn.ModuleList(FrameBlock(width, config.dropout) for _ in blocks)
        self.times = nn.ModuleList(
            TimeBlock(width, dilation, config.causal, config.dropout)
            for dilation in config.dilations
        )
        self.context = ClipContext(width, bones, config.causal) if config.context else None
        self.body = nn.Linear(width, bones + 1)
        self.trust = nn.Linear(width, bones)
        self.size = nn.Linear(bones, 1)
        self.shape_embedding = nn.Linear(bones, width)
        self.after = nn.ModuleList(FrameBlock(width, config.dropout) for _ in blocks)
        self.norm = nn.LayerNorm(width)
        self.ray_offset = nn.Linear(width, config.num_joints * 2)
        self.depth_sign = nn.Linear(width, bones)
        self.depth_offset = nn.Linear(width, bones)
        self.log_sigma = nn.Linear(width, config.num_joints)
        self.log_bone_sigma = nn.Linear(width, 2 * bones)
        self.log_length_sigma = nn.Linear(width, bones)
        placing = (self.ray_offset, self.depth_sign, self.depth_offset)
        sigmas = (self.log_sigma, self.log_bone_sigma, self.log_length_sigma)
        for layer in (self.body, self.trust, self.size, *placing, *sigmas):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.trust.bias, 0.5)

    def forward(
        self,
        features: Float[Tensor, "clip run frame joint feature"],
        radius: Float[Tensor, "clip"],
        shape: Float[Tensor, "clip 1 1 bone"] | None = None,
    ) -> Lifted:
        """Lift clips.

        A clip is one infant before one camera. The frames of a run are consecutive; its runs may
        come from anywhere in the video.

        Args:
            features: of ``RayCodec``: joints in units of the clip's radius.
            radius: of the clip's 2D poses, as a share of their distance.
            shape: logs of the lengths of bones in units of the radius where they are known, as from
                a fit of a first answer to the rays; NaN, or None, where the network predicts them.
        """
        with torch.autocast(features.device.type, enabled=False):
            features, radius = features.float(), radius.float().view(-1, 1, 1, 1)
            near = (10 * radius).expand(*features.shape[:3], 1)
            lengths = self._image_lengths(features)
            hidden = self.stem(torch.cat([features.flatten(-2), lengths, near], -1))
        for block in self.before:
            hidden = block(hidden)
        for block in self.times:
            hidden = block(hidden)
        mean, seen = hidden, torch.zeros_like(lengths)
        if self.context is not None:
            mean, seen = self.context(hidden, lengths)
        shape, log_size = self._body(mean, seen, shape)
        hidden = hidden + mean + self.shape_embedding(shape)
        for block in self.after:
            hidden = block(hidden)
        with torch.autocast(features.device.type, enabled=False):
            hidden = self.norm(hidden.float())
            joints = self._place(hidden, features, radius, shape.exp())
            joints = log_size[..., None].exp() * joints
            bone_sigma = self.log_bone_sigma(hidden).unflatten(-1, (-1, 2)) - 1.5
            length_sigma = self.log_length_sigma(mean.float())[..., list(self.config.twins)] - 2.0
            return Lifted(
                joints, self.log_sigma(hidden), shape + log_size, bone_sigma, length_sigma
            )

    def _image_lengths(self, features: Tensor) -> Tensor:
        """Lengths of the bones in the image, 0 where an end is missing."""
        first, second = torch.as_tensor(self.config.bones, device=features.device).T
        places, usable = features[..., :2], features[..., 2]
        length = (places[..., second, :] - places[..., first, :]).norm(dim=-1)
        return length * usable[..., first] * usable[..., second]

    def _body(self, mean: Tensor, seen: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log lengths of the bones in units of the radius, and log of that unit.

        A bone is about as long as its or its mirror image's greatest length in the image, ``seen``.
        Proportions change with age and so with size: size is a function of them and a residual.
        """
        twins = list(self.config.twins)
        with torch.autocast(mean.device.type, enabled=False):
            seen = torch.maximum(seen[..., twins], seen[..., self.partners])
            evidence = (seen.clamp_min(1e-6).log() - TYPICAL_SHAPE).clamp(-2, 2) * (seen > 0)
            body, trust = self.body(mean.float()), self.trust(mean.float())
            shape = body[..., twins] + TYPICAL_SHAPE + trust[..., twins] * evidence
            if known is not None:
                shape = torch.where(known.isfinite(), known, shape)
            total = shape.exp().sum(-1, keepdim=True).log()
            return shape, self.size(shape - total) - total + body[..., -1:] + 3.0

    def _place(self, hidden: Tensor, features: Tensor, radius: Tensor, lengths: Tensor) -> Tensor:
        """Put each joint on its ray at its bone's length from its parent; then centre the root."""
        offsets = self.ray_offset(hidden).unflatten(-1, (self.config.num_joints, 2))
        rays = features[..., :2] + offsets
        sign, offset = self.depth_sign(hidden), self.depth_offset(hidden)
        root = self.config.root_index
        zero = torch.zeros_like(rays[..., root, :1])
        placed = {root: torch.cat([rays[..., root, :], zero], -1)}
        for i, (parent, child) in enumerate(self.config.bones):
            ray, bone = rays[..., child, :], slice(i, i + 1)
            depth = offset[..., bone] + placed[parent][..., 2:]
            if self.config.rigid:
                middle, reach = on_ray(ray, radius, placed[parent], lengths[..., bone])
                depth = middle + torch.tanh(sign[..., bone]) * reach + offset[..., bone]
            placed[child] = torch.cat([ray * (1 + radius * depth), depth], -1)
        joints = torch.stack([placed[j] for j in range(self.config.num_joints)], -2)
        return joints - joints[..., root : root + 1, :]


def on_ray(
    ray: Float[Tensor, "*batch 2"],
    radius: Float[Tensor, "*#batch 1"],
    parent: Float[Tensor, "*batch 3"],
    length: Float[Tensor, "*#batch 1"],
) -> tuple[Float[Tensor, "*batch 1"], Float[Tensor, "*batch 1"]]:
    """Intersect a ray with a sphere: depths ``middle - reach`` and ``middle + reach``.

    A point of the ray at depth z is (ray (1 + radius z), z). Where the ray misses the sphere of
    radius ``length`` around the parent, reach is nearly zero and middle is the nearest point.
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
        """Add the output of the layers."""
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
        """Add the output of the layers."""
        frames = torch.arange(hidden.shape[2], device=hidden.device)
        steps = (-2, -1, 0) if self.causal else (-1, 0, 1)
        normed = self.norm(hidden)
        rows = [(frames + step * self.dilation).clamp(0, len(frames) - 1) for step in steps]
        return hidden + self.out(self.mix(torch.cat([normed[:, :, row] for row in rows], -1)))


class ClipContext(nn.Module):
    """Features of the whole clip: the weighted mean of its frames, and lengths of its bones.

    A bone has its full length in the image when it is parallel to the image plane: power means over
    the clip go from the mean to the greatest length.
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
        lengths: Float[Tensor, "clip run frame bone"],
    ) -> tuple[
        Float[Tensor, "clip run_or_1 frame_or_1 width"],
        Float[Tensor, "clip run_or_1 frame_or_1 bone"],
    ]:
        """Features, and the greatest lengths, 0 of bones that are missing in every frame.

        Over all runs and frames, or over the frames until now when causal.
        """
        normed = self.norm(hidden)
        weight = self.weight(normed).float().clamp(-8, 8).exp()
        mean = self._mean(self.value(normed).float(), weight)
        known = (lengths > 0).float()
        with torch.autocast(hidden.device.type, enabled=False):
            means = [self._mean(lengths**p, known).clamp_min(1e-12) ** (1 / p) for p in self.POWERS]
            features = self.lengths(torch.cat(means, -1))
        greatest = means[-1] * self._mean(known, known)
        return self.out(torch.cat([mean, features], -1)), greatest

    def _mean(self, values: Tensor, weights: Tensor) -> Tensor:
        total, weight = values * weights, weights
        if self.causal:
            total, weight = total.cumsum(2), weight.cumsum(2)
        else:
            total, weight = (v.sum((1, 2), keepdim=True) for v in (total, weight))
        return total / weight.clamp_min(1e-6)
