"""The camera behind a frame: known from a file, or assumed and said so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.geometry.affine import resize_matrix
from Datasets.geometry.camera import intrinsics_from_fov, intrinsics_matrix
from Engine.errors import DataError
from Engine.reading import load_json
from Engine.settings import Settings, limited
from PoseEstimation.inference.settings import FOV_DEGREES
from PoseEstimation.result import ASSUMED


@dataclass(frozen=True)
class Camera(Settings):
    """A pinhole camera without distortion.

    Attributes:
        fov_degrees: field of view across the longer image side, used without ``intrinsics``.
        given: whether somebody stated the field of view, in contrast to the default.
        intrinsics: (3, 3) pixels of an upright frame, or None.
        size: (width, height) of the frames that ``intrinsics`` belong to; None: those of a
            source's first frame, see ``of_source``.
    """

    fov_degrees: float = limited(60.0, *FOV_DEGREES)
    given: bool = False
    intrinsics: Float[np.ndarray, "3 3"] | None = None
    size: tuple[int, int] | None = None

    def of_source(self, size: tuple[int, int]) -> Camera:
        """The camera of a photo or video whose first frame has (width, height) pixels."""
        known = self.intrinsics is None or self.size is not None
        return self if known else replace(self, size=size)

    def matrix(self, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
        """Intrinsics for an upright frame of (width, height) pixels.

        Raises:
            DataError: the intrinsics belong to frames of another shape.
        """
        if self.intrinsics is None:
            return intrinsics_from_fov(size, self.fov_degrees)
        if self.size is None or self.size == size:
            return self.intrinsics
        if abs(self.size[0] * size[1] - self.size[1] * size[0]) > 0.01 * self.size[0] * size[1]:
            raise DataError(
                f"intrinsics: made for {self.size[0]}x{self.size[1]}, the frame is "
                f"{size[0]}x{size[1]}; give those of the upright frame"
            )
        return resize_matrix(self.size, size) @ self.intrinsics

    def assumption(self) -> dict[str, Any]:
        """What is assumed about the camera, for the user."""
        if self.intrinsics is not None:
            return {"field_of_view_deg": None, "field_of_view_source": "given intrinsics"}
        source = "given" if self.given else f"{ASSUMED}: give --intrinsics or --fov"
        return {"field_of_view_deg": self.fov_degrees, "field_of_view_source": source}


def read_intrinsics(path: Path) -> Camera:
    """Read ``{"fx", "fy", "cx", "cy"}`` in pixels, if given with the frames' ``width``, ``height``.

    Raises:
        DataError: not such a file.
    """
    content = load_json(path, "intrinsics")
    try:
        values = [float(content[key]) for key in ("fx", "fy", "cx", "cy")]
        size = (int(content["width"]), int(content["height"])) if "width" in content else None
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"intrinsics: {path} must be a JSON object with numbers fx, fy, cx, cy"
        ) from None
    if not np.isfinite(values).all() or min(values[:2]) <= 0 or (size and min(size) <= 0):
        raise DataError(f"intrinsics: {path} holds a focal length or size that is not positive")
    return Camera(given=True, intrinsics=intrinsics_matrix(*values), size=size)
