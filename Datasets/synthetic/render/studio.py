"""Shoot posed people in a scene: linear RGB, depth and who is where, of one frame."""

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
from Datasets.synthetic.places.bed import Light, Scene, ShadowMaps
from Datasets.synthetic.render import depth as render
from Datasets.synthetic.render import shading

NEAREST_M = 0.08
"""Closest distance before the camera that a body may have."""


@dataclass(frozen=True)
class Actor:
    """A person of a scene: body, clothes, and the seed of procedural skin and cloth."""

    shape: BodyShape
    look: Look
    seed: int


@dataclass(frozen=True)
class Shot:
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
    """An actor in one pose: vertices in the world, on the screen, and the winners of its pixels."""

    world: np.ndarray
    points: wp.array
    faces: wp.array
    winners: wp.array
    depth_m: np.ndarray


class Studio:
    """A scene with people, ready to shoot frame after frame.

    Args:
        scene: where.
        actors: who; poses are given in their order.
        clipped: a body that reaches beside or behind the camera is cut off before it, else it has
            no image.

    Attributes:
        empty: (height, width, 3) linear RGB of the scene without people.
    """

    def __init__(self, scene: Scene, actors: Sequence[Actor], clipped: bool = False) -> None:
        self.scene, self.actors, self._clipped = scene, tuple(actors), clipped
        self._faces = wp.array(bodies.rig().faces, dtype=wp.vec3i)
        self._fixed = [_Fixed(actor) for actor in self.actors]
        self._ground = wp.array(scene.ground.astype(np.float32), dtype=wp.vec3)
        background = scene.camera.to_camera(scene.ground)[..., 2]
        self._background_m = background.astype(np.float32)
        self._views = [_light_view(light, scene.shadows) for light in scene.lights]
        occluded = scene.albedo * scene.ambient
        self._ambient = wp.array(occluded.astype(np.float32), dtype=wp.vec3)
        lit = [
            scene.albedo * light.colour * np.clip(scene.normals @ light.towards, 0, None)[..., None]
            for light in scene.lights
        ]
        if scene.lit is not None:
            lit = [share[..., None] * light for share, light in zip(scene.lit, lit, strict=True)]
        self._lit = wp.array(np.stack(lit).astype(np.float32), dtype=wp.vec3)
        self.empty = (occluded + sum(lit)).astype(np.float32)

    def shoot(self, poses: Sequence[tuple[np.ndarray, np.ndarray]]) -> Shot:
        """Render one pose of each actor: (bone orientations, bone positions) in the world."""
        posed = [self._pose(*pair) for pair in zip(self._fixed, poses, strict=True)]
        person, depth = np.full(self._background_m.shape, -1), self._background_m
        for number, body in enumerate(posed):
            # Parts that sink into the ground or stand behind furniture are hidden by it.
            nearer = body.depth_m < depth
            person, depth = np.where(nearer, number, person), np.where(nearer, body.depth_m, depth)
        lights, shades = self._light([body.world for body in posed])
        image = wp.array(self.empty, dtype=wp.vec3)
        self._shade_background(person, [body.world for body in posed], lights, shades, image)
        for number, (fixed, body) in enumerate(zip(self._fixed, posed, strict=True)):
            visible = np.where(person == number, body.winners.numpy(), -1).astype(np.int32)
            wp.launch(
                shading.shade_body_kernel,
                dim=visible.shape,
                inputs=[self._mesh(fixed, body), wp.array(visible, dtype=int), fixed.materials]
                + [lights, wp.vec3(*self.scene.camera.position), image],
            )
        return Shot(image.numpy(), depth, person)

    def _pose(self, fixed: _Fixed, pose: tuple[np.ndarray, np.ndarray]) -> _Posed:
        camera = self.scene.camera
        world = bodies.skin(fixed.actor.shape, *pose, fixed.actor.look.vertices)
        seen, faces = camera.to_camera(world), self._faces
        near = seen[:, 2] < NEAREST_M
        if near.any() and self._clipped:
            faces = _without(near)
            seen = np.where(near[:, None], [0.0, 0.0, 1.0], seen)
        elif near.any():
            seen = np.broadcast_to([0.0, 0.0, -1.0], seen.shape)
        pixels = seen @ camera.intrinsics.T
        screen = np.column_stack([pixels[:, :2] / pixels[:, 2:], 1 / seen[:, 2]])
        points, nearness = render.rasterise(screen, faces, camera.size)
        winners = render.winning_faces(points, faces, nearness)
        shown = nearness.numpy()
        depth = np.where(shown > 0, 1 / np.maximum(shown, 1e-6), np.inf)
        return _Posed(world, points, faces, winners, depth)

    def _mesh(self, fixed: _Fixed, body: _Posed) -> shading.Mesh:
        """The body's values per vertex, as the shading kernel reads them."""
        mesh = shading.Mesh()
        mesh.points, mesh.faces = body.points, body.faces
        mesh.world = _vec3(body.world)
        mesh.normals = _vec3(bodies.vertex_normals(body.world))
        mesh.rest, mesh.fields, mesh.marks = fixed.rest, fixed.fields, fixed.marks
        return mesh

    def _seen_from(self, view: np.ndarray, worlds: Sequence[np.ndarray]) -> np.ndarray:
        """Nearness of all bodies together on the map of a light."""
        size = (self.scene.shadows.size, self.scene.shadows.size)
        maps = [
            render.rasterise(_apply(view, world), self._faces, size)[1].numpy() for world in worlds
        ]
        return np.maximum.reduce(maps) if maps else np.full(size, render.FAR, np.float32)

    def _light(self, worlds: Sequence[np.ndarray]) -> tuple[shading.Lights, wp.array]:
        """Shadow maps of all lights, and their blurred coverage for the background."""
        maps, shades = [], []
        for light, view in zip(self.scene.lights, self._views, strict=True):
            maps.append(self._seen_from(view, worlds))
            texel = self.scene.shadows.span_m / self.scene.shadows.size
            above = maps[-1]
            if self.scene.shadows.raised:
                # What is below the top of a bed does not shade it.
                above = self._seen_from(
                    view, [np.maximum(w, [-np.inf, -np.inf, 0]) for w in worlds]
                )
            covered = (above > render.FAR / 2).astype(np.float32)
            shades.append(gaussian_filter(covered, light.softness / texel))
        lights = shading.Lights()
        lights.towards = _vec3(np.stack([light.towards for light in self.scene.lights]))
        lights.colours = _vec3(np.stack([light.colour for light in self.scene.lights]))
        lights.to_map = wp.array(np.stack(self._views).astype(np.float32), dtype=wp.mat44)
        lights.maps = wp.array(np.stack(maps), dtype=float)
        lights.ambient = wp.vec3(*self.scene.ambient)
        lights.bias = self.scene.shadows.bias_m
        lights.count = len(self.scene.lights)
        return lights, wp.array(np.stack(shades), dtype=float)

    def _shade_background(self, person, worlds, lights, shades, image) -> None:
        x0, y0, x1, y1 = _around(person >= 0, self.scene.shadows.margin_px)
        contact, view = self._contact(worlds)
        wp.launch(
            shading.shade_background_kernel,
            dim=(y1 - y0, x1 - x0),
            inputs=[wp.array(person.astype(np.int32), dtype=int), self._ground, self._ambient]
            + [self._lit, shades, contact, wp.mat44(*view.ravel()), lights, x0, y0, image],
        )

    def _contact(self, worlds: Sequence[np.ndarray]) -> tuple[wp.array, np.ndarray]:
        """Darkening of ambient light under and beside parts that are close to the ground."""
        view = _light_view(Light(np.array([0, 0, -1.0]), np.zeros(3), 0.0), self.scene.shadows)
        nearness = self._seen_from(view, worlds)
        height = np.clip(-nearness, 0, 1)
        near = np.where(nearness > render.FAR / 2, np.exp(-height / 0.035), 0)
        near = near.astype(np.float32)
        texels = (ShadowMaps.span_m / ShadowMaps.size) / (
            self.scene.shadows.span_m / self.scene.shadows.size
        )
        blurred = 0.55 * gaussian_filter(near, 2.5 * texels)
        blurred += 0.45 * gaussian_filter(near, 8.0 * texels)
        return wp.array(0.85 * blurred, dtype=float), view


class _Fixed:
    """What does not change of an actor from frame to frame, where the kernels read it."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.rest = wp.array(actor.shape.vertices.astype(np.float32), dtype=wp.vec3)
        self.fields = wp.array(actor.look.fields.astype(np.float32), dtype=wp.vec4)
        self.marks = wp.array(actor.look.face.astype(np.float32), dtype=wp.vec4)
        self.materials = _materials(actor.look, actor.seed)


def _without(hidden: Bool[np.ndarray, "vertex"]) -> wp.array:
    """All faces, in their order; those with a hidden vertex are points and draw nothing."""
    faces = bodies.rig().faces
    return wp.array(np.where(hidden[faces].any(axis=1)[:, None], 0, faces), dtype=wp.vec3i)


def _vec3(values: np.ndarray) -> wp.array:
    return wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=wp.vec3)


def _materials(look: Look, seed: int) -> shading.Materials:
    materials = shading.Materials()
    materials.skin, materials.hair = wp.vec3(*look.skin), wp.vec3(*look.hair)
    materials.first = _vec3(np.stack([m.colours[0] for m in look.materials]))
    materials.second = _vec3(np.stack([m.colours[1] for m in look.materials]))
    rows = [[m.pattern, m.period_m, m.angle] for m in look.materials]
    materials.pattern = _vec3(np.array(rows))
    materials.seed = wp.uint32(seed % 2**31)
    return materials


def _light_view(light: Light, shadows: ShadowMaps) -> np.ndarray:
    """(4, 4) world point to (map x, map y, nearness = metres towards the light)."""
    helper = np.array([1.0, 0, 0]) if abs(light.towards[0]) < 0.9 else np.array([0, 1.0, 0])
    right = np.cross(helper, light.towards)
    right /= np.linalg.norm(right)
    up = np.cross(light.towards, right)
    density = shadows.size / shadows.span_m
    view = np.eye(4)
    view[0, :3], view[1, :3], view[2, :3] = right * density, up * density, light.towards
    view[:2, 3] = shadows.size / 2
    return view


def _apply(view: np.ndarray, world: np.ndarray) -> np.ndarray:
    return world @ view[:3, :3].T + view[:3, 3]


def _around(mask: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Pixels around people where shadows may fall: (x0, y0, x1, y1)."""
    size = mask.shape[1], mask.shape[0]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return 0, 0, size[0], size[1]
    low = max(columns[0] - margin, 0), max(rows[0] - margin, 0)
    high = min(columns[-1] + margin, size[0]), min(rows[-1] + margin, size[1])
    return (*low, *high)
