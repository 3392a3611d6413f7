"""Fit a body of fixed bone lengths to the rays of a clip: maximum a posteriori, by Gauss-Newton.

The lifter predicts, for each bone, a direction with its uncertainty and a length with its
uncertainty; the 2D joints come with theirs. The most probable body has one length per bone for the
whole clip, equal on both sides, and bones of unit direction, so that lengths are constant by
construction. Exact 2D joints bind it to their rays, uncertain ones leave it to the prediction, and
a joint that contradicts the body counts less (Student's t instead of a Gaussian).

Frames depend on one another through the lengths alone: each Gauss-Newton step eliminates the
frames' own unknowns (the Schur complement of bundle adjustment: Triggs et al., 2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from Datasets.skeletons import Skeleton

STEPS = 5
FREEDOM = 5.0
"""Degrees of freedom of Student's t for the residuals of 2D joints."""

LEAST_SIGMA = 0.006
"""Of a 2D joint that is called exact: share of the trunk, for rounding and other conventions."""

INDEPENDENT_FRAMES = 10.0
"""Frames that count for the lengths as much as a longer clip: neighbours share their errors."""

LARGEST_TURN = 0.6
"""Of a bone in one step, radians per axis."""

DAMPING = 1e-3


@dataclass(frozen=True)
class BodyTree:
    """The bones of a skeleton as matrices.

    Attributes:
        reaches: (joint, bone) 1 where the bone is on the way from the root to the joint.
        near, far: the pairs of bones of which the first is on the way to the second, or is it.
        twins: (bone, length) 1 where the bone has this length; mirror images share one.
        mirrored: position of each bone's mirror image, or its own.
        parents: joint at the near end of each bone.
        children: joint at its far end.
    """

    reaches: Float[np.ndarray, "joint bone"]
    near: Int[np.ndarray, "pair"]
    far: Int[np.ndarray, "pair"]
    twins: Float[np.ndarray, "bone length"]
    mirrored: tuple[int, ...]
    parents: Int[np.ndarray, "bone"]
    children: Int[np.ndarray, "bone"]

    @classmethod
    def of(cls, skeleton: Skeleton) -> BodyTree:
        """The tree of a skeleton whose bones begin at its root."""
        bones, mirrored = skeleton.bone_indices, skeleton.mirrored_bones
        reaches = np.zeros((len(skeleton), len(bones)))
        for i, (parent, child) in enumerate(bones):
            reaches[child] = reaches[parent]
            reaches[child, i] = 1
        parents, children = np.array(bones).T
        far, near = np.nonzero(reaches[children])
        first = np.minimum(np.arange(len(bones)), mirrored)
        twins = (first[:, None] == np.unique(first)).astype(np.float64)
        return cls(reaches, near, far, twins, mirrored, parents, children)


@dataclass(frozen=True)
class Rays:
    """2D joints of a clip as viewing rays; the camera looks along z.

    Attributes:
        xy: (frame, joint, 2) the ray is (x, y, 1).
        usable: (frame, joint) whether there is one.
        sigma: (frame, joint) standard deviation of x and of y.
    """

    xy: Float[np.ndarray, "frame joint 2"]
    usable: Bool[np.ndarray, "frame joint"]
    sigma: Float[np.ndarray, "frame joint"]


@dataclass(frozen=True)
class Prediction:
    """What the network predicts of a clip's bones.

    Attributes:
        vectors: (frame, bone, 3) bone vectors over their lengths, camera axes; uncertain ones are
            shorter than 1.
        sigma: (frame, bone, 2) standard deviation of x and y, and of z.
        log_lengths: (bone,) log of the lengths.
        length_sigma: (bone,) standard deviation of these logs.
    """

    vectors: Float[np.ndarray, "frame bone 3"]
    sigma: Float[np.ndarray, "frame bone 2"]
    log_lengths: Float[np.ndarray, "bone"]
    length_sigma: Float[np.ndarray, "bone"]


@dataclass(frozen=True)
class Fit:
    """The most probable body.

    Attributes:
        joints: (frame, joint, 3) relative to the root, in the unit of the lengths, camera axes.
        residual: (frame, joint) distance of each joint's projection from its ray, as x and y; 0
            where there is no ray.
        depth: (frame,) z of the root.
        log_lengths: (bone,) logs of the lengths.
    """

    joints: Float[np.ndarray, "frame joint 3"]
    residual: Float[np.ndarray, "frame joint"]
    depth: Float[np.ndarray, "frame"]
    log_lengths: Float[np.ndarray, "bone"]


@dataclass(frozen=True)
class _Body:
    """A clip's unknowns."""

    root: Float[np.ndarray, "frame 3"]
    directions: Float[np.ndarray, "frame bone 3"]
    log_lengths: Float[np.ndarray, "length"]

    def joints(self, tree: BodyTree) -> Float[np.ndarray, "frame joint 3"]:
        """Relative to the root."""
        return tree.reaches @ (np.exp(tree.twins @ self.log_lengths)[:, None] * self.directions)


def fit_clip(tree: BodyTree, rays: Rays, predicted: Prediction, trunk: float) -> Fit:
    """Fit one body to a clip.

    Args:
        tree: of the skeleton.
        rays: 2D joints.
        predicted: by the network.
        trunk: length of the trunk in the image, in the unit of ``rays.xy``.
    """
    weight = np.where(rays.usable, 1 / (rays.sigma**2 + (LEAST_SIGMA * trunk) ** 2), 0.0)
    prior = _LengthPrior.of(tree, predicted)
    body = _start(tree, rays, weight, predicted, prior)
    for _ in range(STEPS):
        body = _stepped(tree, rays, weight, predicted, prior, body)
    joints = body.joints(tree)
    place = body.root[:, None] + joints
    off = np.linalg.norm(place[..., :2] / place[..., 2:] - rays.xy, axis=-1)
    residual = np.where(rays.usable, off, 0.0)
    return Fit(joints, residual, body.root[:, 2], tree.twins @ body.log_lengths)


@dataclass(frozen=True)
class _LengthPrior:
    """Logs of the lengths, mirror images together, and their precisions."""

    log_lengths: Float[np.ndarray, "length"]
    precision: Float[np.ndarray, "length"]

    @classmethod
    def of(cls, tree: BodyTree, predicted: Prediction) -> _LengthPrior:
        mean = tree.twins / tree.twins.sum(0)
        return cls(predicted.log_lengths @ mean, 1 / (predicted.length_sigma @ mean) ** 2)


def _start(
    tree: BodyTree, rays: Rays, weight: np.ndarray, predicted: Prediction, prior: _LengthPrior
) -> _Body:
    """Predicted directions and lengths, and where the rays place such a pose."""
    directions = _unit(predicted.vectors)
    body = _Body(np.zeros((len(rays.xy), 3)), directions, prior.log_lengths)
    return replace(body, root=place_on_rays(body.joints(tree), rays.xy, weight))


def place_on_rays(
    joints: Float[np.ndarray, "frame joint 3"],
    xy: Float[np.ndarray, "frame joint 2"],
    weight: Float[np.ndarray, "frame joint"],
) -> Float[np.ndarray, "frame 3"]:
    """Positions of root-relative poses by weighted linear least squares; see ``root_position``."""
    slope = _across(xy)  # times root plus joint is 0 on the ray
    right = xy * joints[..., 2:] - joints[..., :2]
    matrix = np.einsum("fjki,fjkl,fj->fil", slope, slope, weight)
    vector = np.einsum("fjki,fjk,fj->fi", slope, right, weight)
    size = np.maximum(np.trace(matrix, axis1=1, axis2=2), 1e-12)[:, None, None]
    root = np.linalg.solve(matrix + 1e-9 * size * np.eye(3), vector[..., None])[..., 0]
    before = root[:, 2] > 0
    usual = np.median(root[before, 2]) if before.any() else np.abs(joints).max() + 1.0
    return np.concatenate([root[:, :2], np.where(before, root[:, 2], usual)[:, None]], axis=-1)


def _stepped(
    tree: BodyTree,
    rays: Rays,
    weight: np.ndarray,
    predicted: Prediction,
    prior: _LengthPrior,
    body: _Body,
) -> _Body:
    """The body after one Gauss-Newton step."""
    equations = _with_prior(_of_rays(tree, rays, weight, body), predicted, body)
    step, log_lengths = equations.solved(prior, body.log_lengths)
    depth = body.root[:, 2:]
    turns = np.clip(step[:, 3:].reshape(len(step), -1, 2), -LARGEST_TURN, LARGEST_TURN)
    return _Body(
        body.root + np.clip(step[:, :3], -0.3 * depth, 0.3 * depth),
        _unit(body.directions + np.einsum("fbik,fbk->fbi", tangents(body.directions), turns)),
        log_lengths,
    )


@dataclass(frozen=True)
class _Equations:
    """Normal equations. A frame's unknowns are its root, then two turns of each bone.

    Attributes:
        gradient, hessian: of the frames' unknowns.
        cross: second derivatives by them and by the logs of the lengths.
        own_gradient, own_hessian: of the logs of the lengths.
    """

    gradient: Float[np.ndarray, "frame unknown"]
    hessian: Float[np.ndarray, "frame unknown unknown"]
    cross: Float[np.ndarray, "frame unknown length"]
    own_gradient: Float[np.ndarray, "length"]
    own_hessian: Float[np.ndarray, "length length"]

    def solved(
        self, prior: _LengthPrior, log_lengths: np.ndarray
    ) -> tuple[Float[np.ndarray, "frame unknown"], Float[np.ndarray, "length"]]:
        """The frames' step and the new logs of the lengths."""
        right = np.concatenate([self.gradient[..., None], self.cross], -1)
        own, through = np.split(np.linalg.solve(self.hessian, right), [1], -1)
        share = min(1.0, INDEPENDENT_FRAMES / len(self.gradient))
        matrix = share * (self.own_hessian - np.einsum("fui,fuk->ik", self.cross, through))
        force = share * (self.own_gradient - np.einsum("fui,fu->i", self.cross, own[..., 0]))
        force = force + prior.precision * (log_lengths - prior.log_lengths)
        change = np.clip(np.linalg.solve(matrix + np.diag(prior.precision), -force), -0.2, 0.2)
        return -(own[..., 0] + through @ change), log_lengths + change


def _of_rays(tree: BodyTree, rays: Rays, weight: np.ndarray, body: _Body) -> _Equations:
    """Equations of the distances between joints and rays."""
    pull, stiffness = _by_place(body.root[:, None] + body.joints(tree), rays.xy, weight)
    below = tree.reaches.T
    force = np.einsum("bj,fji->fbi", below, pull)
    inertia = np.einsum("bj,fjil->fbil", below, stiffness)
    # a bone's vector by its two turns and by the log of its length
    basis = np.concatenate([tangents(body.directions), body.directions[..., None]], -1)
    basis *= np.exp(tree.twins @ body.log_lengths)[:, None, None]
    by_bone = np.einsum("fbik,fbi->fbk", basis, force)
    moved = np.einsum("fbil,fblk->fbik", inertia, basis)
    root = moved.transpose(0, 2, 1, 3)  # (frame, 3, bone, 3)
    frames, bones = len(basis), len(below)
    pairs = np.zeros((frames, bones, 3, bones, 3))
    blocks = np.einsum("fpik,fpil->pfkl", basis[:, tree.near], moved[:, tree.far])
    pairs[:, tree.near, :, tree.far] = blocks
    pairs[:, tree.far, :, tree.near] = blocks.transpose(0, 1, 3, 2)
    turns, stretch = pairs[:, :, :2, :, :2], pairs[:, :, :2, :, 2]
    hessian = np.empty((frames, 3 + 2 * bones, 3 + 2 * bones))
    hessian[:, :3, :3] = stiffness.sum(1)
    hessian[:, :3, 3:] = root[..., :2].reshape(frames, 3, -1)
    hessian[:, 3:, :3] = hessian[:, :3, 3:].transpose(0, 2, 1)
    hessian[:, 3:, 3:] = turns.reshape(frames, 2 * bones, 2 * bones)
    return _Equations(
        np.concatenate([pull.sum(1), by_bone[..., :2].reshape(frames, -1)], -1),
        hessian,
        np.concatenate([root[..., 2], stretch.reshape(frames, -1, bones)], 1) @ tree.twins,
        by_bone[..., 2].sum(0) @ tree.twins,
        tree.twins.T @ pairs[:, :, 2, :, 2].sum(0) @ tree.twins,
    )


def _by_place(
    place: Float[np.ndarray, "frame joint 3"],
    xy: Float[np.ndarray, "frame joint 2"],
    weight: Float[np.ndarray, "frame joint"],
) -> tuple[Float[np.ndarray, "frame joint 3"], Float[np.ndarray, "frame joint 3 3"]]:
    """Gradient and Gauss-Newton hessian of the joints' misfit by their places."""
    depth = np.maximum(place[..., 2:], 1e-3)
    image = place[..., :2] / depth
    off = image - xy
    robust = weight * (FREEDOM + 2) / (FREEDOM + weight * (off**2).sum(-1))
    slope = _across(image) / depth[..., None]
    weighted = robust[..., None, None] * slope
    return (weighted * off[..., None]).sum(-2), np.swapaxes(weighted, -1, -2) @ slope


def _with_prior(equations: _Equations, predicted: Prediction, body: _Body) -> _Equations:
    """Add the distances of the bones' directions from the predicted ones, and damping."""
    frames, bones = body.directions.shape[:2]
    tangent = tangents(body.directions)
    precision = predicted.sigma[..., [0, 0, 1]] ** -2.0
    off = precision * (body.directions - predicted.vectors)
    gradient = equations.gradient.copy()
    gradient[:, 3:] += np.einsum("fbik,fbi->fbk", tangent, off).reshape(frames, -1)
    blocks = np.swapaxes(tangent, -1, -2) @ (precision[..., None] * tangent)
    hessian = equations.hessian.copy()
    turns = 3 + 2 * np.arange(bones)
    for row in range(2):
        for column in range(2):
            hessian[:, turns + row, turns + column] += blocks[..., row, column]
    diagonal = np.arange(3 + 2 * bones)
    hessian[:, diagonal, diagonal] *= 1 + DAMPING
    hessian[:, diagonal, diagonal] += 1e-9
    return replace(equations, gradient=gradient, hessian=hessian)


def _across(xy: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2 3"]:
    """Rows (1, 0, -x) and (0, 1, -y): 0 for points on the ray (x, y, 1)."""
    rows = np.zeros((*xy.shape, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1
    rows[..., 2] = -xy
    return rows


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def tangents(directions: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 2"]:
    """Two unit vectors normal to each unit vector and to one another (Duff et al., 2017)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    sign = np.where(z >= 0, 1.0, -1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], -1)
    second = np.stack([b, sign + y * y * a, -y], -1)
    return np.stack([first, second], -1)
