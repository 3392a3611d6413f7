"""A made bed seen from above, the same from every camera over it.

World frame: metres, the mattress is z = 0, z up, the pillow lies towards +y.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.bed import Camera, Scene, draw_lights, temperature
from Datasets.synthetic.places.builder import Setting, light_up
from Datasets.synthetic.places.solids import Box


def make_bed(camera: Camera, half_width_m: float, seed: int) -> Scene:
    """Furnish a bed.

    Args:
        camera: looks down on it.
        half_width_m: of the mattress, which is twice as long as wide.
        seed: of its sheets, the floor and the light.
    """
    rng, setting = np.random.default_rng(seed), Setting()
    width, length = half_width_m, 2 * half_width_m
    setting.plane([0, 0, -0.55], [0, 0, 1], surfaces.FLOORS)
    sheet, frame = setting.material((surfaces.fabric,)), setting.material((surfaces.wood,))
    pillow, spot = setting.material((surfaces.fabric,)), [rng.normal(0, 0.03), 0.8 * length, 0.0]
    setting.solids += [
        Box(np.array([0, 0, -0.1]), np.array([width, length, 0.1]), 0.0, sheet),
        Box(np.array([0, 0, -0.35]), np.array([width + 0.04, length + 0.04, 0.14]), 0.0, frame),
        Box(
            np.array(spot), np.array([0.62 * width, 0.16 * length, 0.012]),
            rng.normal(0, 0.06), pillow,
        ),
    ]  # fmt: skip
    ambient = temperature(rng.uniform(3500, 7500)) * rng.uniform(0.3, 0.6)
    scene = light_up(rng, camera, setting, draw_lights(rng), ambient)
    shadows = replace(scene.shadows, size=480, span_m=2.6, bias_m=0.015)
    return replace(scene, shadows=shadows)
