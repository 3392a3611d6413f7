"""Rows of the literature on MINI-RGBD, sequences 11-12, measured on the real set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedRow:
    """One system's published figures; a measure it did not publish is absent.

    Attributes:
        system: name of the system.
        source: where the figures were printed.
        takes: what the system is given.
        values: measure to value, keys as in metrics.json.
    """

    system: str
    source: str
    takes: str
    values: dict[str, float]


_THESIS = "Ellershaw, 2022, table 5.1"
_ZEDO = "Zhou et al., WACV workshops 2024, arXiv 2311.12043"

MINI_RGBD_3D = (
    PublishedRow(
        "Hesse random ferns", _THESIS, "RGB-D", {"ajpe_mm": 44.90, "pckh_1": 51.09, "pckh_2": 83.87}
    ),
    PublishedRow(
        "Ellershaw, fine-tuned",
        _THESIS,
        "RGB",
        {"ajpe_mm": 28.47, "pckh_1": 65.20, "pckh_2": 88.99},
    ),
    PublishedRow(
        "Ellershaw", _THESIS, "true 2D", {"ajpe_mm": 25.44, "pckh_1": 69.28, "pckh_2": 91.19}
    ),
    PublishedRow("ZeDO-i, its 17 joints", _ZEDO, "true 2D", {"ajpe_mm": 21.2}),
)

MINI_RGBD_2D = (
    PublishedRow(
        "OpenPose, adapted (Hesse)", _THESIS, "RGB", {"pckh_1_2d": 86.54, "pckh_2_2d": 91.64}
    ),
    PublishedRow(
        "Ellershaw",
        _THESIS,
        "RGB",
        {"ajpe_2d_px": 8.17, "pckh_1_2d": 93.77, "pckh_2_2d": 96.05, "mean_iou": 87.7},
    ),
)
