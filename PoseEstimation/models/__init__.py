"""Networks, one per file.

To add one: write a frozen config dataclass and a module that takes it as ``config``, and add a row
here. A heatmap network takes RGB crops in 0 to 1 and returns ``Maps``.
"""

from Engine.registry import Networks

HEATMAP_NETWORKS = Networks({"PoseResNet": "PoseEstimation.models.pose_resnet:PoseResNet"})

LIFTERS = Networks(
    {
        "MartinezLifter": "PoseEstimation.models.martinez:MartinezLifter",
        "ClipLifter": "PoseEstimation.models.clip_lifter:ClipLifter",
    }
)
