"""Matrices, boxes, cameras and alignments; NumPy only.

Pixels: x right, y down, 0-based, a pixel's centre at its integer coordinate. A 2D geometric step is
one 3x3 matrix in homogeneous pixel coordinates. 3D: millimetres, camera frame, x right, y down,
z forward.
"""
