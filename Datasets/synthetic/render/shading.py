"""Shading of posed bodies and their background: warp structs and kernels, on CPU and CUDA alike.

Colours are linear RGB, positions metres in the world frame (the bed or floor is z = 0, z up).
"""

from __future__ import annotations

import warp as wp

from Datasets.synthetic.render.depth import edge

IRIS, PUPIL = wp.constant(0.74), wp.constant(0.94)
"""From where an eyeball is iris and pupil: cosine of the angle to the direction it looks in."""
FLOOR_M = 0.02
"""Background above this height stands on the floor and has no contact shadow."""


@wp.struct
class Materials:
    """Colours of one infant (linear RGB) and its cloth patterns."""

    skin: wp.vec3
    hair: wp.vec3
    iris: wp.vec3
    first: wp.array(dtype=wp.vec3)
    second: wp.array(dtype=wp.vec3)
    pattern: wp.array(dtype=wp.vec3)
    seed: wp.uint32


@wp.struct
class Lights:
    """Directions towards the lights, colours, their shadow maps and the light from all around.

    ``ambient`` comes from around the direction ``sky``, ``bounce`` from the ground.
    """

    towards: wp.array(dtype=wp.vec3)
    colours: wp.array(dtype=wp.vec3)
    to_map: wp.array(dtype=wp.mat44)
    maps: wp.array3d(dtype=float)
    ambient: wp.vec3
    bounce: wp.vec3
    sky: wp.vec3
    bias: float
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
    if face[0] < 0.5:
        tone = tone * (1.0 - face[1]) + m.hair * face[1]
    if face[3] > 0.0:
        # Strands run along the head: noise that is stretched.
        strand = wp.noise(m.seed, wp.cw_mul(p, wp.vec3(420.0, 90.0, 420.0)))
        cover = wp.clamp(face[3] * (1.0 + 0.7 * strand), 0.0, 1.0)
        tone = tone * (1.0 - cover) + m.hair * (1.0 + 0.45 * strand) * cover
    if face[0] > 0.5:
        tone = wp.vec3(0.66, 0.63, 0.61)
        if face[1] > IRIS:
            tone = m.iris
        if face[1] > PUPIL:
            tone = wp.vec3(0.01, 0.01, 0.01)
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


@wp.struct
class Mesh:
    """Vertex values of the posed body: on the screen, in the world and on the surface at rest."""

    points: wp.array(dtype=wp.vec3)
    faces: wp.array(dtype=wp.vec3i)
    world: wp.array(dtype=wp.vec3)
    normals: wp.array(dtype=wp.vec3)
    rest: wp.array(dtype=wp.vec3)
    fields: wp.array(dtype=wp.vec4)
    marks: wp.array(dtype=wp.vec4)


@wp.struct
class Surface:
    """The surface under a pixel: position, normal, albedo and how it reflects."""

    position: wp.vec3
    normal: wp.vec3
    albedo: wp.vec3
    gloss: float
    wrap: wp.vec3


@wp.func
def _surface(mesh: Mesh, materials: Materials, t: int, x: float, y: float) -> Surface:
    """Interpolate (perspective-correctly) and colour the point of a triangle under a pixel."""
    f = mesh.faces[t]
    a = mesh.points[f[0]]
    b = mesh.points[f[1]]
    c = mesh.points[f[2]]
    area = edge(a, b, c[0], c[1])
    u = edge(b, c, x, y) / area * a[2]
    v = edge(c, a, x, y) / area * b[2]
    w = edge(a, b, x, y) / area * c[2]
    total = u + v + w
    u = u / total
    v = v / total
    w = w / total
    rest = mesh.rest[f[0]] * u + mesh.rest[f[1]] * v + mesh.rest[f[2]] * w
    field = mesh.fields[f[0]] * u + mesh.fields[f[1]] * v + mesh.fields[f[2]] * w
    marks = mesh.marks[f[0]] * u + mesh.marks[f[1]] * v + mesh.marks[f[2]] * w
    out = Surface()
    out.position = mesh.world[f[0]] * u + mesh.world[f[1]] * v + mesh.world[f[2]] * w
    out.normal = wp.normalize(
        mesh.normals[f[0]] * u + mesh.normals[f[1]] * v + mesh.normals[f[2]] * w
    )
    slot = int(-1)
    for k in range(4):
        if field[k] > 0.0:
            slot = k
    if slot >= 0:
        # A dark line marks the hem.
        out.albedo = _cloth(materials, slot, rest) * wp.clamp(0.55 + field[slot] * 180.0, 0.0, 1.0)
        out.normal = wp.normalize(out.normal + _creases(materials.seed, rest * 55.0) * 0.35)
        out.gloss = 0.015
        out.wrap = wp.vec3(0.08, 0.08, 0.08)
    else:
        out.albedo = _skin(materials, rest, marks)
        # Red light travels furthest under the skin.
        out.gloss = 0.08
        out.wrap = wp.vec3(0.38, 0.22, 0.16)
    return out


@wp.func
def _creases(seed: wp.uint32, p: wp.vec3) -> wp.vec3:
    """Noise that is carried by the cloth and bends its normals."""
    return wp.vec3(
        wp.noise(seed, p),
        wp.noise(seed + wp.uint32(1), p),
        wp.noise(seed + wp.uint32(2), p),
    )


@wp.kernel
def shade_body_kernel(
    mesh: Mesh,
    face_index: wp.array2d(dtype=int),
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
    s = _surface(mesh, materials, t, float(x), float(y))
    n = s.normal
    view = wp.normalize(eye - s.position)
    if wp.dot(n, view) < 0.0:
        n = wp.normalize(n - view * (1.02 * wp.dot(n, view)))
    # Close to the ground less light comes from the sky.
    free = wp.clamp(0.6 + s.position[2] * 6.0, 0.6, 1.0)
    above = 0.5 + 0.5 * wp.dot(n, lights.sky)
    around = lights.ambient * (0.25 + 0.75 * above) * free + lights.bounce * (0.5 - 0.5 * n[2])
    rim = wp.pow(1.0 - wp.max(wp.dot(n, view), 0.0), 4.0)
    colour = wp.cw_mul(s.albedo, around) + around * (s.gloss * (0.12 + 1.5 * rim))
    for k in range(lights.count):
        light = lights.towards[k]
        facing = wp.dot(n, light)
        diffuse = wp.vec3(
            wp.max((facing + s.wrap[0]) / (1.0 + s.wrap[0]), 0.0),
            wp.max((facing + s.wrap[1]) / (1.0 + s.wrap[1]), 0.0),
            wp.max((facing + s.wrap[2]) / (1.0 + s.wrap[2]), 0.0),
        )
        half = wp.max(wp.dot(n, wp.normalize(light + view)), 0.0)
        shine = s.gloss * (wp.pow(half, 40.0) + 0.5 * wp.pow(half, 8.0))
        share = _lit(lights, k, s.position, lights.bias)
        lit = wp.cw_mul(s.albedo, diffuse) + wp.vec3(shine)
        colour += wp.cw_mul(lit, lights.colours[k]) * share
    image[y, x] = colour


@wp.kernel
def shade_background_kernel(
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
    """Light the background around bodies: blurred cast shadows and a contact shadow."""
    j, i = wp.tid()
    y = j + y0
    x = i + x0
    if face_index[y, x] >= 0:
        return
    p = ground[y, x]
    q = contact_to_map * wp.vec4(p[0], p[1], p[2], 1.0)
    touch = _sample(contact, q[0], q[1])
    if p[2] > FLOOR_M:
        touch = 0.0
    colour = ambient[y, x] * (1.0 - touch)
    for k in range(lights.count):
        s = lights.to_map[k] * wp.vec4(p[0], p[1], p[2], 1.0)
        shade = _sample(shade_maps[k], s[0], s[1])
        if p[2] > FLOOR_M:
            shade = 1.0 - _lit(lights, k, p, 0.05)
        colour += lit[k, y, x] * (1.0 - shade)
    image[y, x] = colour


@wp.func
def _sample(values: wp.array2d(dtype=float), x: float, y: float) -> float:
    """Bilinear interpolation, 0 outside."""
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    if i < 0 or j < 0 or i >= values.shape[1] - 1 or j >= values.shape[0] - 1:
        return 0.0
    u = x - float(i)
    v = y - float(j)
    top = values[j, i] * (1.0 - u) + values[j, i + 1] * u
    low = values[j + 1, i] * (1.0 - u) + values[j + 1, i + 1] * u
    return top * (1.0 - v) + low * v
