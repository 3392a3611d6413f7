"""Published protocols: which joints, which thresholds, which averages a number in a table means.

Every protocol is a frozen value with one method ``score`` that takes predictions beside the truth
and returns ``Scores``: rates in percent under the keys of metrics.json, and what was counted. In
all of them an unlabelled target never counts, and a joint that was not predicted (NaN) is a miss,
never dropped.
"""

from PoseEstimation.metrics.protocols.coco import CocoProtocol, object_keypoint_similarity
from PoseEstimation.metrics.protocols.lsp import LspProtocol
from PoseEstimation.metrics.protocols.mini_rgbd import (
    COLUMNS,
    FACTORS,
    HeadLengths,
    MiniRgbdProtocol,
    ScoredPoses,
)
from PoseEstimation.metrics.protocols.mpi_inf_3dhp import MpiInf3dhpPoses, MpiInf3dhpProtocol
from PoseEstimation.metrics.protocols.mpii import MpiiProtocol
from PoseEstimation.metrics.protocols.scores import Scores
from PoseEstimation.metrics.protocols.slp import SlpProtocol
from PoseEstimation.metrics.protocols.syrip import SyripProtocol

__all__ = [
    "COLUMNS",
    "FACTORS",
    "CocoProtocol",
    "HeadLengths",
    "LspProtocol",
    "MiniRgbdProtocol",
    "MpiInf3dhpPoses",
    "MpiInf3dhpProtocol",
    "MpiiProtocol",
    "ScoredPoses",
    "Scores",
    "SlpProtocol",
    "SyripProtocol",
    "object_keypoint_similarity",
]
