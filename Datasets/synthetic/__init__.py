"""Generated people with exact labels, written to disk in the layout of a real data set.

Each folder imports only from those before it:
people (bodies, motion, postures, clothes), places (rooms, beds, furniture, cameras, lights),
render (rasteriser, shading, covers and cables over a frame), capture (camera, night and thermal
infrared), compose (who and what is in one picture, its labels), profiles (one per data set).
"""

from Datasets.synthetic.profiles.mini_rgbd import PROFILES, generate

__all__ = ["PROFILES", "generate"]
