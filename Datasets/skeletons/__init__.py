"""Joint conventions as values.

To add one: write a file with a ``Skeleton`` value, list it in ``SKELETONS``, and add the named
correspondence to ``convert.py``.
"""

from Datasets.skeletons.coco import COCO_17
from Datasets.skeletons.infant import INFANT
from Datasets.skeletons.lsp import LSP_14
from Datasets.skeletons.mini_rgbd import MINI_RGBD_25
from Datasets.skeletons.mpii import MPII_16
from Datasets.skeletons.skeleton import Skeleton

SKELETONS = {s.name: s for s in (INFANT, MINI_RGBD_25, MPII_16, COCO_17, LSP_14)}

__all__ = ["COCO_17", "INFANT", "LSP_14", "MINI_RGBD_25", "MPII_16", "SKELETONS", "Skeleton"]
