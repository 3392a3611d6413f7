"""Leeds Sports Pose (Johnson & Everingham, 2010) and SLP (Liu et al., 2022): 14 joints each."""

from Datasets.skeletons.mpii import LEGS_AND_ARMS, MPII_16
from Datasets.skeletons.skeleton import Skeleton, on_both_sides, paths, sigmas_of


def _fourteen(name: str, neck: str) -> Skeleton:
    """MPII's limbs, then the neck, whatever it is called, and the top of the head."""
    joints = (*MPII_16.joints[:6], *MPII_16.joints[10:], neck, "head_top")
    return Skeleton(
        name=name,
        joints=joints,
        bones=(
            (neck, "head_top"),
            *on_both_sides(f"{neck} *_shoulder"),
            *on_both_sides("*_shoulder *_hip"),
            *paths("left_hip right_hip"),
            *LEGS_AND_ARMS,
        ),
        root=neck,
        head_segment=(neck, "head_top"),
        sigmas=sigmas_of(joints),
    )


LSP_14 = _fourteen("lsp_14", "neck")
SLP_14 = _fourteen("slp_14", "thorax")
"""LSP's order, with the thorax in the place of the neck."""
