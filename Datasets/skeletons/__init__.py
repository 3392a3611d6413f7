"""Joint conventions as values.

To add one: write a file with a ``Skeleton`` value, list it in ``SKELETONS``, and add the named
correspondence to ``convert.py``.
"""

from Datasets.skeletons.coco import COCO_17
from Datasets.skeletons.infant import INFANT
from Datasets.skeletons.lsp import LSP_14, SLP_14
from Datasets.skeletons.mini_rgbd import MINI_RGBD_25
from Datasets.skeletons.mpi_inf_3dhp import MPI_INF_17, MPI_INF_28
from Datasets.skeletons.mpii import MPII_16
from Datasets.skeletons.skeleton import Skeleton

SKELETONS = {
    s.name: s
    for s in (INFANT, MINI_RGBD_25, MPII_16, MPI_INF_28, MPI_INF_17, COCO_17, LSP_14, SLP_14)
}

__all__ = [
    "COCO_17",
    "INFANT",
    "LSP_14",
    "MINI_RGBD_25",
    "MPII_16",
    "MPI_INF_17",
    "MPI_INF_28",
    "SKELETONS",
    "SLP_14",
    "Skeleton",
]
