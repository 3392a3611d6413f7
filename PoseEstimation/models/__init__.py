"""Networks, one per file.

To add one: write a module that takes a frozen dataclass as ``config``, and its settings, and add a
row here. A heatmap network takes RGB crops in 0 to 1 and returns ``Maps``; its config has
``num_joints`` and ``maps_per_joint``, its class ``output_stride``.
"""

from Engine.registry import Network, Networks

_HERE = "PoseEstimation.models"

HEATMAP_NETWORKS = Networks(
    Network(
        "pose_resnet", f"{_HERE}.pose_resnet:PoseResNet", f"{_HERE}.configs:PoseResNetSettings"
    ),
    Network(
        "mobilenet_fpn",
        f"{_HERE}.mobilenet_fpn:MobileNetFPN",
        f"{_HERE}.configs:MobileNetFPNSettings",
    ),
)

LIFTERS = Networks(
    Network("martinez", f"{_HERE}.martinez:MartinezLifter", f"{_HERE}.configs:MartinezSettings"),
    Network(
        "clip_lifter", f"{_HERE}.clip_lifter:ClipLifter", f"{_HERE}.configs:ClipLifterSettings"
    ),
)
