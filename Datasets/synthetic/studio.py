"""Shoot a posed infant in a scene: linear RGB, depth and mask of one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter

from Datasets.synthetic import body as bodies
from Datasets.synthetic import render, shading
from Datasets.synthetic.body import BodyShape
from Datasets.synthetic.scene import Light, Scene
from Datasets.synthetic.wardrobe import Look


@dataclass(frozen=True)
class Shot:
    """One rendered frame.

    Attributes:
        linear: (height, width, 3) linear RGB.
        depth_m: (height, width) distance along the optical axis, metres.
        mask: (height, width) true on the infant.
    """

    linear: Float[np.ndarray, "height width 3"]
    depth_m: Float[np.ndarray, "height width"]
    mask: Bool[np.ndarray, "height width"]


class Studio:
    """A scene with one infant, ready to shoot frame after frame.

    Args:
        scene: where.
        shape: who.
        look: what it wears.
        seed: of the procedural skin and cloth.

    Attributes:
        open_bed: (height, width, 3) linear RGB of the bed without the infant.
    """

    def __init__(self, scene: Scene, shape: BodyShape, look: Look, seed: int) -> None:
        self.scene, self.shape, self.look = scene, shape, look
        self._faces = wp.array(bodies.rig().faces, dtype=wp.vec3i)
        self._rest = wp.array(shape.vertices.astype(np.float32), dtype=wp.vec3)
        self._fields = wp.array(look.fields.astype(np.float32), dtype=wp.vec4)
        self._marks = wp.array(look.face.astype(np.float32), dtype=wp.vec4)
        self._materials = _materials(look, seed)
        self._ground = wp.array(scene.ground.astype(np.float32), dtype=wp.vec3)
        bed_depth = scene.camera.to_camera(scene.ground)[..., 2]
        self._bed_depth = bed_depth.astype(np.float32)
        self._views = [_light_view(light) for light in scene.lights]
        occluded = scene.albedo * scene.ambient
        self._ambient = wp.array(occluded.astype(np.float32), dtype=wp.vec3)
        lit = [
            scene.albedo * light.colour * np.clip(scene.normals @ light.towards, 0, None)[..., None]
            for light in scene.lights
        ]
        self._lit = wp.array(np.stack(lit).astype(np.float32), dtype=wp.vec3)
        self.open_bed = (occluded + sum(lit)).astype(np.float32)

    def shoot(self, turn: np.ndarray, place: np.ndarray) -> Shot:
        """Render one pose (bone orientations and positions in the world)."""
        camera = self.scene.camera
        world = bodies.skin(self.shape, turn, place, self.look.vertices)
        seen = camera.to_camera(world)
        pixels = seen @ camera.intrinsics.T
        screen = np.column_stack([pixels[:, :2] / pixels[:, 2:], 1 / seen[:, 2]])
        points, nearness = render.rasterise(screen, self._faces, camera.size)
        winners = render.winning_faces(points, self._faces, nearness)
        depth = np.where(nearness.numpy() > 0, 1 / np.maximum(nearness.numpy(), 1e-6), np.inf)
        # Parts that sink into the bed are hidden by it.
        mask = depth < self._bed_depth
        visible = wp.array(np.where(mask, winners.numpy(), -1).astype(np.int32), dtype=int)
        lights, shades = self._light(world)
        image = wp.array(self.open_bed, dtype=wp.vec3)
        self._shade_bed(visible, world, lights, shades, image, _around(mask, camera.size))
        wp.launch(
            shading.shade_body_kernel,
            dim=visible.shape,
            inputs=[self._posed(points, world), visible, self._materials, lights]
            + [wp.vec3(*camera.position), image],
        )
        return Shot(image.numpy(), np.where(mask, depth, self._bed_depth), mask)

    def _posed(self, points: wp.array, world: np.ndarray) -> shading.Mesh:
        """The body's values per vertex, as the shading kernel reads them."""
        mesh = shading.Mesh()
        mesh.points, mesh.faces = points, self._faces
        mesh.world, mesh.normals = _vec3(world), _vec3(bodies.vertex_normals(world))
        mesh.rest, mesh.fields, mesh.marks = self._rest, self._fields, self._marks
        return mesh

    def _light(self, world: np.ndarray) -> tuple[shading.Lights, wp.array]:
        """Shadow maps of all lights, and their blurred coverage for the bed."""
        size = shading.SHADOW_SIZE
        maps, shades = [], []
        for light, view in zip(self.scene.lights, self._views, strict=True):
            _, nearness = render.rasterise(_apply(view, world), self._faces, (size, size))
            maps.append(nearness.numpy())
            texel = shading.SHADOW_SPAN_M / size
            covered = (maps[-1] > render.FAR / 2).astype(np.float32)
            shades.append(gaussian_filter(covered, light.softness / texel))
        lights = shading.Lights()
        lights.towards = _vec3(np.stack([light.towards for light in self.scene.lights]))
        lights.colours = _vec3(np.stack([light.colour for light in self.scene.lights]))
        lights.to_map = wp.array(np.stack(self._views).astype(np.float32), dtype=wp.mat44)
        lights.maps = wp.array(np.stack(maps), dtype=float)
        lights.ambient = wp.vec3(*self.scene.ambient)
        lights.count = len(self.scene.lights)
        return lights, wp.array(np.stack(shades), dtype=float)

    def _shade_bed(self, visible, world, lights, shades, image, region) -> None:
        x0, y0, x1, y1 = region
        contact, view = self._contact(world)
        wp.launch(
            shading.shade_bed_kernel,
            dim=(y1 - y0, x1 - x0),
            inputs=[visible, self._ground, self._ambient, self._lit, shades, contact]
            + [wp.mat44(*view.ravel()), lights, x0, y0, image],
        )

    def _contact(self, world: np.ndarray) -> tuple[wp.array, np.ndarray]:
        """Darkening of ambient light under and beside parts that are close to the bed."""
        view = _light_view(Light(np.array([0, 0, -1.0]), np.zeros(3), 0.0))
        size = (shading.SHADOW_SIZE, shading.SHADOW_SIZE)
        _, nearness = render.rasterise(_apply(view, world), self._faces, size)
        height = np.clip(-nearness.numpy(), 0, 1)
        near = np.where(nearness.numpy() > render.FAR / 2, np.exp(-height / 0.035), 0)
        near = near.astype(np.float32)
        blurred = 0.55 * gaussian_filter(near, 2.5) + 0.45 * gaussian_filter(near, 8.0)
        return wp.array(0.85 * blurred, dtype=float), view


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


def _light_view(light: Light) -> np.ndarray:
    """(4, 4) world point to (map x, map y, nearness = metres towards the light)."""
    helper = np.array([1.0, 0, 0]) if abs(light.towards[0]) < 0.9 else np.array([0, 1.0, 0])
    right = np.cross(helper, light.towards)
    right /= np.linalg.norm(right)
    up = np.cross(light.towards, right)
    density = shading.SHADOW_SIZE / shading.SHADOW_SPAN_M
    view = np.eye(4)
    view[0, :3], view[1, :3], view[2, :3] = right * density, up * density, light.towards
    view[:2, 3] = shading.SHADOW_SIZE / 2
    return view


def _apply(view: np.ndarray, world: np.ndarray) -> np.ndarray:
    return world @ view[:3, :3].T + view[:3, 3]


def _around(mask: np.ndarray, size: tuple[int, int], margin: int = 90) -> tuple[int, int, int, int]:
    """Pixels around the infant where shadows may fall: (x0, y0, x1, y1)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return 0, 0, size[0], size[1]
    low = max(columns[0] - margin, 0), max(rows[0] - margin, 0)
    high = min(columns[-1] + margin, size[0]), min(rows[-1] + margin, size[1])
    return (*low, *high)
