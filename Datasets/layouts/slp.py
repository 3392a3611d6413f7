"""SLP (Liu et al., 2022): folders, sizes and joint files, shared by what reads and writes them."""

from __future__ import annotations

from Datasets.structures import Cover, Modality

LABS = {"danaLab": 102, "simLab": 7}
"""Official number of subjects at home and in the hospital room."""

MODALITIES: dict[str, Modality] = {
    "RGB": "rgb",
    "IR": "thermal",
    "depth": "depth",
    "PM": "pressure",
}
"""What each folder shows; SLP's IR is long-wave infrared, that is, temperature."""
COVERS: dict[str, Cover] = {"uncover": "none", "cover1": "thin", "cover2": "thick"}
"""No cover, a thin sheet, a thick blanket; the labels of a pose are the same under all."""

SIZES = {"RGB": (576, 1024), "IR": (120, 160), "depth": (424, 512), "PM": (84, 192)}
"""(width, height) of each modality's images in pixels."""

POSES = 45
"""Frames per subject and cover."""

TRAIN_SUBJECTS, VALIDATION_FROM = 90, 81
"""danaLab 1-90 are for training; of these 81-90 are kept for validation here."""

IMAGE = "{modality}/{cover}/image_{frame:06d}.png"
JOINTS = "joints_gt_{modality}.mat"
ALIGNMENT = "align_PTr_{modality}.npy"
"""(3, 3) homography of a modality onto the pressure map; that of PM is the identity."""

CELSIUS = (20.0, 40.0)
"""What 0 and 255 of an IR image stand for."""
