"""Rasterise and light one posed body on a bed, with warp kernels that run on CPU and CUDA alike.

Every view (the camera and each light) is a list of vertices as (pixel x, pixel y, nearness), where
nearness is linear on the screen and larger is closer; one depth kernel serves all of them.
"""

from __future__ import annotations

import numpy as np
import warp as wp

wp.config.quiet = True

SHADOW_SIZE = 288
SHADOW_SPAN_M = 1.15
FAR = -1.0e9


@wp.func
def _edge(a: wp.vec3, b: wp.vec3, x: float, y: float) -> float:
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])


@wp.kernel
def nearness_kernel(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    nearness: wp.array2d(dtype=float),
):
    """Keep, per pixel, the largest nearness of the triangles that cover its centre."""
    f = faces[wp.tid()]
    a = points[f[0]]
    b = points[f[1]]
    c = points[f[2]]
    area = _edge(a, b, c[0], c[1])
    if wp.abs(area) < 1.0e-9:
        return
    x0 = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])))))
    x1 = wp.min(nearness.shape[1] - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])))))
    y0 = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))))
    y1 = wp.min(nearness.shape[0] - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])))))
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            u = _edge(b, c, float(x), float(y)) / area
            v = _edge(c, a, float(x), float(y)) / area
            w = 1.0 - u - v
            if u >= 0.0 and v >= 0.0 and w >= 0.0:
                wp.atomic_max(nearness, y, x, u * a[2] + v * b[2] + w * c[2])


@wp.kernel
def face_kernel(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    nearness: wp.array2d(dtype=float),
    face_index: wp.array2d(dtype=int),
):
    """Record which triangle won each pixel."""
    t = wp.tid()
    f = faces[t]
    a = points[f[0]]
    b = points[f[1]]
    c = points[f[2]]
    area = _edge(a, b, c[0], c[1])
    if wp.abs(area) < 1.0e-9:
        return
    x0 = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])))))
    x1 = wp.min(nearness.shape[1] - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])))))
    y0 = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))))
    y1 = wp.min(nearness.shape[0] - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])))))
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            u = _edge(b, c, float(x), float(y)) / area
            v = _edge(c, a, float(x), float(y)) / area
            w = 1.0 - u - v
            if u >= 0.0 and v >= 0.0 and w >= 0.0:
                if u * a[2] + v * b[2] + w * c[2] >= nearness[y, x]:
                    wp.atomic_max(face_index, y, x, t)


@wp.struct
class Materials:
    """Colours of one infant (linear RGB) and its cloth patterns."""

    skin: wp.vec3
    hair: wp.vec3
    first: wp.array(dtype=wp.vec3)
    second: wp.array(dtype=wp.vec3)
    pattern: wp.array(dtype=wp.vec3)
    seed: wp.uint32


@wp.struct
class Lights:
    """Directions towards the lights, colours, their shadow maps and the ambient light."""

    towards: wp.array(dtype=wp.vec3)
    colours: wp.array(dtype=wp.vec3)
    to_map: wp.array(dtype=wp.mat44)
    maps: wp.array3d(dtype=float)
    ambient: wp.vec3
    count: int


@wp.func
def _cloth(m: Materials, slot: int, p: wp.vec3) -> wp.vec3:
    pattern = m.pattern[slot]
    kind = int(pattern[0])
    c = wp.cos(pattern[2])
    s = wp.sin(pattern[2])
    x = (c * p[0] + s * p[2]) / pattern[1]
    y = (c * p[2] - s * p[0]) / pattern[1]
    mix = float(0.0)
    if kind == 1:
        if x - wp.floor(x) > 0.5:
            mix = 1.0
    if kind == 2:
        dx = x - wp.floor(x) - 0.5
        dy = y - wp.floor(y) - 0.5
        if dx * dx + dy * dy < 0.07:
            mix = 1.0
    if kind == 3:
        mix = 0.5 * float(x - wp.floor(x) > 0.5) + 0.5 * float(y - wp.floor(y) > 0.5)
    if kind == 4:
        mix = wp.clamp(0.5 + 1.5 * wp.noise(m.seed, p / pattern[1]), 0.0, 1.0)
    weave = 1.0 + 0.06 * wp.noise(m.seed, p * 900.0)
    return (m.first[slot] * (1.0 - mix) + m.second[slot] * mix) * weave


@wp.func
def _skin(m: Materials, p: wp.vec3, face: wp.vec4) -> wp.vec3:
    blotch = 1.0 + 0.05 * wp.noise(m.seed, p * 40.0) + 0.03 * wp.noise(m.seed, p * 160.0)
    red = 0.06 * wp.noise(m.seed + wp.uint32(7), p * 22.0)
    tone = wp.cw_mul(m.skin * blotch, wp.vec3(1.0 + red, 1.0 - red, 1.0 - red))
    lips = 0.75 * face[2]
    tone = wp.cw_mul(tone, wp.vec3(1.0 - 0.12 * lips, 1.0 - 0.55 * lips, 1.0 - 0.45 * lips))
    strands = wp.clamp(face[3] * (1.0 + 0.8 * wp.noise(m.seed, p * 260.0)), 0.0, 1.0)
    tone = tone * (1.0 - strands) + m.hair * strands
    if face[0] > 0.5:
        tone = wp.vec3(0.72, 0.70, 0.68)
        if face[1] > 0.5:
            tone = wp.vec3(0.03, 0.02, 0.015)
    return tone


@wp.func
def _lit(lights: Lights, index: int, p: wp.vec3, bias: float) -> float:
    """Share of a light that reaches a world point: 3x3 comparisons with its shadow map."""
    q = lights.to_map[index] * wp.vec4(p[0], p[1], p[2], 1.0)
    x = int(wp.round(q[0]))
    y = int(wp.round(q[1]))
    size = lights.maps.shape[1]
    if x < 2 or y < 2 or x >= size - 2 or y >= size - 2:
        return 1.0
    clear = float(0.0)
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            if lights.maps[index, y + 2 * dy, x + 2 * dx] < q[2] + bias:
                clear += 1.0
    return clear / 9.0


@wp.kernel
def shade_body_kernel(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    face_index: wp.array2d(dtype=int),
    world: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    fields: wp.array(dtype=wp.vec4),
    face_marks: wp.array(dtype=wp.vec4),
    materials: Materials,
    lights: Lights,
    eye: wp.vec3,
    image: wp.array2d(dtype=wp.vec3),
):
    """Light every pixel of the body: procedural skin and cloth, Blinn highlights, shadow maps."""
    y, x = wp.tid()
    t = face_index[y, x]
    if t < 0:
        return
    f = faces[t]
    a = points[f[0]]
    b = points[f[1]]
    c = points[f[2]]
    area = _edge(a, b, c[0], c[1])
    u = _edge(b, c, float(x), float(y)) / area * a[2]
    v = _edge(c, a, float(x), float(y)) / area * b[2]
    w = _edge(a, b, float(x), float(y)) / area * c[2]
    total = u + v + w
    u = u / total
    v = v / total
    w = w / total
    p = world[f[0]] * u + world[f[1]] * v + world[f[2]] * w
    r = rest[f[0]] * u + rest[f[1]] * v + rest[f[2]] * w
    n = wp.normalize(normals[f[0]] * u + normals[f[1]] * v + normals[f[2]] * w)
    field = fields[f[0]] * u + fields[f[1]] * v + fields[f[2]] * w
    marks = face_marks[f[0]] * u + face_marks[f[1]] * v + face_marks[f[2]] * w
    albedo = wp.vec3(0.0, 0.0, 0.0)
    slot = int(-1)
    for k in range(4):
        if field[k] > 0.0:
            slot = k
    gloss = float(0.10)
    wrap = float(0.22)
    if slot >= 0:
        albedo = _cloth(materials, slot, r)
        # Creases: the normal follows noise carried by the cloth; a dark line marks the hem.
        q = r * 55.0
        crease = wp.vec3(
            wp.noise(materials.seed, q),
            wp.noise(materials.seed + wp.uint32(1), q),
            wp.noise(materials.seed + wp.uint32(2), q),
        )
        n = wp.normalize(n + crease * 0.35)
        albedo = albedo * wp.clamp(0.55 + field[slot] * 180.0, 0.0, 1.0)
        gloss = 0.015
        wrap = 0.05
    else:
        albedo = _skin(materials, r, marks)
    view = wp.normalize(eye - p)
    if wp.dot(n, view) < 0.0:
        n = wp.normalize(n - view * (1.02 * wp.dot(n, view)))
    sky = (0.55 + 0.45 * n[2]) * wp.clamp(0.55 + p[2] * 6.0, 0.35, 1.0)
    colour = wp.cw_mul(albedo, lights.ambient) * sky
    for k in range(lights.count):
        light = lights.towards[k]
        diffuse = wp.max((wp.dot(n, light) + wrap) / (1.0 + wrap), 0.0)
        clear = _lit(lights, k, p, 0.010)
        half = wp.normalize(light + view)
        shine = gloss * wp.pow(wp.max(wp.dot(n, half), 0.0), 24.0)
        colour += (wp.cw_mul(albedo, lights.colours[k]) * diffuse + lights.colours[k] * shine) * clear
    image[y, x] = colour


@wp.kernel
def shade_bed_kernel(
    face_index: wp.array2d(dtype=int),
    ground: wp.array2d(dtype=wp.vec3),
    ambient: wp.array2d(dtype=wp.vec3),
    lit: wp.array3d(dtype=wp.vec3),
    shade_maps: wp.array3d(dtype=float),
    contact: wp.array2d(dtype=float),
    contact_to_map: wp.mat44,
    lights: Lights,
    x0: int,
    y0: int,
    image: wp.array2d(dtype=wp.vec3),
):
    """Light the bed around the body: blurred cast shadows and a contact shadow."""
    j, i = wp.tid()
    y = j + y0
    x = i + x0
    if face_index[y, x] >= 0:
        return
    p = ground[y, x]
    q = contact_to_map * wp.vec4(p[0], p[1], p[2], 1.0)
    colour = ambient[y, x] * (1.0 - _sample2(contact, q[0], q[1]))
    for k in range(lights.count):
        s = lights.to_map[k] * wp.vec4(p[0], p[1], p[2], 1.0)
        colour += lit[k, y, x] * (1.0 - _sample3(shade_maps, k, s[0], s[1]))
    image[y, x] = colour


@wp.func
def _sample2(values: wp.array2d(dtype=float), x: float, y: float) -> float:
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    if i < 0 or j < 0 or i >= values.shape[1] - 1 or j >= values.shape[0] - 1:
        return 0.0
    u = x - float(i)
    v = y - float(j)
    top = values[j, i] * (1.0 - u) + values[j, i + 1] * u
    low = values[j + 1, i] * (1.0 - u) + values[j + 1, i + 1] * u
    return top * (1.0 - v) + low * v


@wp.func
def _sample3(values: wp.array3d(dtype=float), k: int, x: float, y: float) -> float:
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    if i < 0 or j < 0 or i >= values.shape[2] - 1 or j >= values.shape[1] - 1:
        return 0.0
    u = x - float(i)
    v = y - float(j)
    top = values[k, j, i] * (1.0 - u) + values[k, j, i + 1] * u
    low = values[k, j + 1, i] * (1.0 - u) + values[k, j + 1, i + 1] * u
    return top * (1.0 - v) + low * v


def rasterise(points: np.ndarray, faces: wp.array, size: tuple[int, int]) -> tuple[wp.array, wp.array]:
    """Draw a mesh into nearness.

    Args:
        points: (vertex, 3) pixel x, pixel y, nearness.
        faces: warp array of index triples.
        size: (width, height).

    Returns:
        The uploaded points and the (height, width) nearness, ``FAR`` where nothing is.
    """
    uploaded = wp.array(np.ascontiguousarray(points, dtype=np.float32), dtype=wp.vec3)
    nearness = wp.full((size[1], size[0]), FAR, dtype=float)
    wp.launch(nearness_kernel, dim=faces.shape[0], inputs=[uploaded, faces, nearness])
    return uploaded, nearness


def winning_faces(points: wp.array, faces: wp.array, nearness: wp.array) -> wp.array:
    """Index of the visible triangle per pixel, -1 where nothing is."""
    index = wp.full(nearness.shape, -1, dtype=int)
    wp.launch(face_kernel, dim=faces.shape[0], inputs=[points, faces, nearness, index])
    return index
