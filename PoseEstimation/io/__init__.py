"""Results on disk, a file per format: ``poses_json`` (everything), ``poses_csv`` (tidy), ``coco``.

To add a format: write ``io/NAME.py`` with a function that states its layout at the top and writes
through ``Engine.files``, and add its row to ``FORMATS``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A format of results.

    Attributes:
        name: on the command line.
        file: name of its file.
        writer: "module:function" of (result, path).
    """

    name: str
    file: str
    writer: str


FORMATS = (
    Format("json", "poses.json", "PoseEstimation.io.poses_json:write_poses_json"),
    Format("csv", "poses.csv", "PoseEstimation.io.poses_csv:write_poses_csv"),
    Format("coco", "coco_keypoints.json", "PoseEstimation.io.coco:write_coco"),
)
