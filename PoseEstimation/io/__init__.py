"""Results on disk, a file per format: ``poses_json`` (everything), ``poses_csv`` (tidy), ``coco``.

To add a format: write ``io/<name>.py`` with an ``io.header.Writer`` that states its layout at the
top and writes through ``Engine.files``, and give it a row in ``FORMATS``.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """A format of results.

    Attributes:
        name: on the command line.
        file: name of its file.
        writer: "module:function" of its ``io.header.Writer``.
    """

    name: str
    file: str
    writer: str


FORMATS = (
    Format("json", "poses.json", "PoseEstimation.io.poses_json:poses_json"),
    Format("csv", "poses.csv", "PoseEstimation.io.poses_csv:poses_csv"),
    Format("coco", "coco_keypoints.json", "PoseEstimation.io.coco:coco_keypoints"),
)
