"""Render posed people over a background: linear RGB, depth and the person of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.places.background import Background, ShadowMaps
from Datasets.synthetic.render import depth as raster
from Datasets.synthetic.render import shading

BOUNCE = 0.7
"""Share of the light from the surroundings that falls on people from below."""
IRISES = (0.05, 0.025, 0.012), (0.1, 0.16, 0.25)
"""Linear RGB: brown, and on fair skin blue."""
NEAREST_M = 0.08
"""Closest distance before the camera that a body may have."""


@dataclass(frozen=True)
class Actor:
    """A person to render: body, clothes, and the seed of procedural skin and cloth."""

    shape: BodyShape
    look: Look
    seed: int


@dataclass(frozen=True)
class Rendering:
    """One rendered frame.

    Attributes:
        linear: (height, width, 3) linear RGB.
        depth_m: (height, width) distance along the optical axis, metres.
        person: (height, width) number of the actor that a pixel shows, -1 on the background.
    """

    linear: Float[np.ndarray, "height width 3"]
    depth_m: Float[np.ndarray, "height width"]
    person: Int[np.ndarray, "height width"]

    @property
    def mask(self) -> Bool[np.ndarray, "height width"]:
        """True on people."""
        return self.person >= 0


@dataclass(frozen=True)
class _Posed:
    """An actor in one pose: vertices in the world, on the screen, and the faces of its pixels."""

    world: np.ndarray
    points: wp.array
    faces: wp.array
    winners: np.ndarray
    depth_m: np.ndarray


class Renderer:
    """A background with people, rendered frame after frame.

    Args:
        background: with the camera.
        actors: the people; poses are given in their order.
        clipped: a body that reaches beside or behind the camera is cut off before it, else it is
            not rendered.

    Attributes:
        empty: (height, width, 3) linear RGB of the background without people.
    """

    def __init__(
        self, background: Background, actors: Sequence[Actor], clipped: bool = False
    ) -> None:
        self.background, self.actors, self._clipped = background, tuple(actors), clipped
        self._faces: wp.array = wp.array(bodies.rig().faces, dtype=wp.vec3i)
        self._fixed = [_at_rest(actor) for actor in self.actors]
        self._ground = _vec3(background.ground)
        behind = background.camera.to_camera(background.ground)[..., 2]
        self._background_m = behind.astype(np.float32)
        shadows = background.shadows
        self._views = [_light_view(light.towards, shadows) for light in background.lights]
        occluded, albedo = background.albedo * background.ambient, background.albedo
        self._ambient = _vec3(occluded)
        lit = [
            albedo * light.colour * np.clip(background.normals @ light.towards, 0, None)[..., None]
            for light in background.lights
        ]
        if background.lit is not None:
            shares = background.lit[..., None]
            lit = [share * light for share, light in zip(shares, lit, strict=True)]
        self._lit = _vec3(np.stack(lit))
        self.empty = (occluded + sum(lit)).astype(np.float32)
        self._bounce = np.minimum(BOUNCE * self.empty[::8, ::8].mean(axis=(0, 1)), 1.0)

    def render(self, poses: Sequence[tuple[np.ndarray, np.ndarray]]) -> Rendering:
        """Render one pose of each actor: (bone orientations, bone positions) in the world."""
        posed = [self._pose(*pair) for pair in zip(self.actors, poses, strict=True)]
        person, depth = np.full(self._background_m.shape, -1), self._background_m
        for number, body in enumerate(posed):
            # Parts that sink into the ground or stand behind furniture are hidden by it.
            nearer = body.depth_m < depth
            person, depth = np.where(nearer, number, person), np.where(nearer, body.depth_m, depth)
        worlds = [body.world for body in posed]
        lights, shades = self._light(worlds)
        image: wp.array = wp.array(self.empty, dtype=wp.vec3)
        self._shade_background(person, worlds, lights, shades, image)
        eye = wp.vec3(*self.background.camera.position)
        for number, (body, (mesh, materials)) in enumerate(zip(posed, self._fixed, strict=True)):
            mesh.points, mesh.faces, mesh.world = body.points, body.faces, _vec3(body.world)
            mesh.normals = _vec3(bodies.vertex_normals(body.world))
            visible = np.where(person == number, body.winners, -1).astype(np.int32)
            given = [mesh, wp.array(visible, dtype=int), materials, lights, eye, image]
            wp.launch(shading.shade_body_kernel, dim=visible.shape, inputs=given)
        return Rendering(image.numpy(), depth, person)

    def _pose(self, actor: Actor, pose: tuple[np.ndarray, np.ndarray]) -> _Posed:
        camera = self.background.camera
        world = bodies.skin(actor.shape, *pose, actor.look.vertices)
        seen, faces = camera.to_camera(world), self._faces
        near = seen[:, 2] < NEAREST_M
        if near.any() and self._clipped:
            # all faces, in their order; those with a hidden vertex are points and draw nothing
            every = bodies.rig().faces
            kept = np.where(near[every].any(axis=1)[:, None], 0, every)
            faces = wp.array(kept, dtype=wp.vec3i)
            seen = np.where(near[:, None], [0.0, 0.0, 1.0], seen)
        elif near.any():
            seen = np.broadcast_to([0.0, 0.0, -1.0], seen.shape)
        pixels = seen @ camera.intrinsics.T
        screen = np.column_stack([pixels[:, :2] / pixels[:, 2:], 1 / seen[:, 2]])
        points, nearness = raster.rasterise(screen, faces, camera.size)
        winners = raster.winning_faces(points, faces, nearness).numpy()
        shown = nearness.numpy()
        depth = np.where(shown > 0, 1 / np.maximum(shown, 1e-6), np.inf)
        return _Posed(world, points, faces, winners, depth)

    def _seen_from(self, view: np.ndarray, worlds: Sequence[np.ndarray]) -> np.ndarray:
        """Nearness of all bodies together on the map of a light."""
        size = (self.background.shadows.size,) * 2
        seen = [world @ view[:3, :3].T + view[:3, 3] for world in worlds]
        maps = [raster.rasterise(points, self._faces, size)[1].numpy() for points in seen]
        return np.maximum.reduce(maps) if maps else np.full(size, raster.FAR, np.float32)

    def _light(self, worlds: Sequence[np.ndarray]) -> tuple[shading.Lights, wp.array]:
        """Shadow maps of all lights, and their blurred coverage for the background."""
        background, shadows = self.background, self.background.shadows
        maps, shades = [], []
        for light, view in zip(background.lights, self._views, strict=True):
            maps.append(self._seen_from(view, worlds))
            above = maps[-1]
            if shadows.raised:
                # Parts of bodies below the top of a bed do not shade it.
                raised = [np.maximum(world, [-np.inf, -np.inf, 0]) for world in worlds]
                above = self._seen_from(view, raised)
            covered = (above > raster.FAR / 2).astype(np.float32)
            texel_m = shadows.span_m / shadows.size
            shades.append(gaussian_filter(covered, light.softness / texel_m))
        lights = shading.Lights()
        lights.towards = _vec3(np.stack([light.towards for light in background.lights]))
        lights.colours = _vec3(np.stack([light.colour for light in background.lights]))
        lights.to_map = wp.array(np.stack(self._views).astype(np.float32), dtype=wp.mat44)
        lights.maps = wp.array(np.stack(maps), dtype=float)
        lights.ambient, lights.bounce = wp.vec3(*background.ambient), wp.vec3(*self._bounce)
        lights.sky = wp.vec3(*_sky_direction(background))
        lights.bias, lights.count = shadows.bias_m, len(background.lights)
        return lights, wp.array(np.stack(shades), dtype=float)

    def _shade_background(self, person, worlds, lights, shades, image) -> None:
        x0, y0, x1, y1 = _around(person >= 0, self.background.shadows.margin_px)
        contact, view = self._contact(worlds)
        wp.launch(
            shading.shade_background_kernel,
            dim=(y1 - y0, x1 - x0),
            inputs=[wp.array(person.astype(np.int32), dtype=int), self._ground, self._ambient]
            + [self._lit, shades, contact, wp.mat44(*view.ravel()), lights, x0, y0, image],
        )

    def _contact(self, worlds: Sequence[np.ndarray]) -> tuple[wp.array, np.ndarray]:
        """Darkening of ambient light under and beside parts that are close to the ground."""
        shadows = self.background.shadows
        view = _light_view(np.array([0, 0, -1.0]), shadows)
        nearness = self._seen_from(view, worlds)
        height = np.clip(-nearness, 0, 1)
        near = np.where(nearness > raster.FAR / 2, np.exp(-height / 0.035), 0).astype(np.float32)
        texels = (ShadowMaps.span_m / ShadowMaps.size) / (shadows.span_m / shadows.size)
        blurred = 0.55 * gaussian_filter(near, 2.5 * texels)
        blurred += 0.45 * gaussian_filter(near, 8.0 * texels)
        return wp.array(0.85 * blurred, dtype=float), view


def _sky_direction(background: Background) -> np.ndarray:
    """Where most of the ambient light comes from: above, and a little from the lights' side."""
    towards = sum(light.towards * light.colour.mean() for light in background.lights)
    mixed = np.array([0.0, 0.0, 1.0]) + 0.8 * towards
    return mixed / np.linalg.norm(mixed)


def _vec3(values: np.ndarray) -> wp.array:
    return wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=wp.vec3)


def _at_rest(actor: Actor) -> tuple[shading.Mesh, shading.Materials]:
    """The values of an actor that do not change from frame to frame."""
    look, mesh, materials = actor.look, shading.Mesh(), shading.Materials()
    mesh.rest = _vec3(actor.shape.vertices)
    mesh.fields = wp.array(look.fields.astype(np.float32), dtype=wp.vec4)
    mesh.marks = wp.array(look.face.astype(np.float32), dtype=wp.vec4)
    materials.skin, materials.hair = wp.vec3(*look.skin), wp.vec3(*look.hair)
    materials.iris = wp.vec3(*IRISES[actor.seed % (2 if look.skin[0] > 0.5 else 1)])
    materials.first = _vec3(np.stack([m.colours[0] for m in look.materials]))
    materials.second = _vec3(np.stack([m.colours[1] for m in look.materials]))
    materials.pattern = _vec3(np.array([[m.pattern, m.period_m, m.angle] for m in look.materials]))
    materials.seed = wp.uint32(actor.seed % 2**31)
    return mesh, materials


def _light_view(towards: np.ndarray, shadows: ShadowMaps) -> np.ndarray:
    """(4, 4) world point to (map x, map y, nearness = metres towards the light)."""
    helper = np.array([1.0, 0, 0]) if abs(towards[0]) < 0.9 else np.array([0, 1.0, 0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    up = np.cross(towards, right)
    density = shadows.size / shadows.span_m
    view = np.eye(4)
    view[0, :3], view[1, :3], view[2, :3] = right * density, up * density, towards
    view[:2, 3] = shadows.size / 2
    return view


def _around(mask: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Pixels around people where shadows may fall: (x0, y0, x1, y1)."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return 0, 0, width, height
    low = max(columns[0] - margin, 0), max(rows[0] - margin, 0)
    return (*low, min(columns[-1] + margin, width), min(rows[-1] + margin, height))
