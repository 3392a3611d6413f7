"""Draw posed bodies into depth, with warp kernels that run on CPU and CUDA alike.

Every view (the camera and each light) is a list of vertices as (pixel x, pixel y, nearness), where
nearness is linear on the screen and larger is closer; one depth kernel serves all of them.
"""

from __future__ import annotations

import numpy as np
import warp as wp

wp.config.log_level = wp.LOG_ERROR

FAR = -1.0e9


@wp.func
def edge(a: wp.vec3, b: wp.vec3, x: float, y: float) -> float:
    """Twice the signed area of the triangle a, b, (x, y)."""
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])


@wp.func
def pixel_span(a: wp.vec3, b: wp.vec3, c: wp.vec3, width: int, height: int) -> wp.vec4i:
    """First and last column and row of the pixel centres that a triangle can cover."""
    if wp.abs(edge(a, b, c[0], c[1])) < 1.0e-9:
        return wp.vec4i(0, -1, 0, -1)
    return wp.vec4i(
        wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0]))))),
        wp.min(width - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0]))))),
        wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1]))))),
        wp.min(height - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1]))))),
    )


@wp.func
def nearness_at(a: wp.vec3, b: wp.vec3, c: wp.vec3, x: int, y: int) -> float:
    """Nearness of a triangle at a pixel's centre, ``FAR`` outside it."""
    area = edge(a, b, c[0], c[1])
    u = edge(b, c, float(x), float(y)) / area
    v = edge(c, a, float(x), float(y)) / area
    w = 1.0 - u - v
    if u >= 0.0 and v >= 0.0 and w >= 0.0:
        return u * a[2] + v * b[2] + w * c[2]
    return FAR


@wp.kernel
def nearness_kernel(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    nearness: wp.array2d(dtype=float),
):
    """Keep, per pixel, the largest nearness of the triangles that cover its centre."""
    f = faces[wp.tid()]
    a, b, c = points[f[0]], points[f[1]], points[f[2]]
    span = pixel_span(a, b, c, nearness.shape[1], nearness.shape[0])
    for y in range(span[2], span[3] + 1):
        for x in range(span[0], span[1] + 1):
            value = nearness_at(a, b, c, x, y)
            if value > FAR:
                wp.atomic_max(nearness, y, x, value)


@wp.kernel
def face_kernel(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    nearness: wp.array2d(dtype=float),
    face_index: wp.array2d(dtype=int),
):
    """Record which triangle is nearest at each pixel."""
    t = wp.tid()
    f = faces[t]
    a, b, c = points[f[0]], points[f[1]], points[f[2]]
    span = pixel_span(a, b, c, nearness.shape[1], nearness.shape[0])
    for y in range(span[2], span[3] + 1):
        for x in range(span[0], span[1] + 1):
            value = nearness_at(a, b, c, x, y)
            if value > FAR and value >= nearness[y, x]:
                wp.atomic_max(face_index, y, x, t)


def rasterise(
    points: np.ndarray, faces: wp.array, size: tuple[int, int]
) -> tuple[wp.array, wp.array]:
    """Draw a mesh into nearness.

    Args:
        points: (vertex, 3) pixel x, pixel y, nearness.
        faces: warp array of index triples.
        size: (width, height).

    Returns:
        The uploaded points and the (height, width) nearness, ``FAR`` where nothing is.
    """
    uploaded: wp.array = wp.array(np.ascontiguousarray(points, dtype=np.float32), dtype=wp.vec3)
    nearness = wp.full((size[1], size[0]), FAR, dtype=float)
    wp.launch(nearness_kernel, dim=faces.shape[0], inputs=[uploaded, faces, nearness])
    return uploaded, nearness


def winning_faces(points: wp.array, faces: wp.array, nearness: wp.array) -> wp.array:
    """Index of the visible triangle per pixel, -1 where nothing is."""
    index = wp.full(nearness.shape, -1, dtype=int)
    wp.launch(face_kernel, dim=faces.shape[0], inputs=[points, faces, nearness, index])
    return index
