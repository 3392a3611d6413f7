"""Generated infants with exact labels: body, motion, wardrobe, scene, renderer, camera, profiles.

``generate`` writes a profile's data set to disk in its official layout.
"""

from Datasets.synthetic.profiles.mini_rgbd import PROFILES, generate

__all__ = ["PROFILES", "generate"]
