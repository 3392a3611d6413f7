"""Results on disk, a file per format: ``poses_json`` (everything), ``poses_csv`` (tidy), ``coco``.

To add a format: write ``io/<name>.py`` with an ``io.header.Writer`` that states its layout at the
top and writes through ``Engine.files``, and give it a row in ``FORMATS``.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """One format: the name of its file, and ``module:function`` of its ``io.header.Writer``."""

    file_name: str
    writer: str


FORMATS = {
    "json": Format("poses.json", "PoseEstimation.io.poses_json:poses_json"),
    "csv": Format("poses.csv", "PoseEstimation.io.poses_csv:poses_csv"),
    "coco": Format("coco_keypoints.json", "PoseEstimation.io.coco:coco_keypoints"),
}
