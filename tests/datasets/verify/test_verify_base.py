"""One judgement of a picture: what ``load_image`` reads, ``verify`` does not call damaged."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.readers.images import load_image
from Datasets.verify.base import image_faults
from Engine.errors import DataError

NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def encoded(kind: str, array: np.ndarray = NOISE, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


JPEG, PNG = encoded("JPEG", quality=90), encoded("PNG")
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
"""Orientation 6, and the end is missing."""
PREVIEW = JPEG[:2] + b"\xff\xe1" + (len(JPEG) + 8).to_bytes(2, "big") + b"Exif\0\0" + JPEG

CASES = {
    "JPEG": (JPEG, True),
    "JPEG without its end": (JPEG[:-2], True),
    "JPEG and more": (JPEG + bytes(500), True),
    "JPEG cut": (JPEG[: len(JPEG) // 2], False),
    "JPEG cut after a preview": (PREVIEW + JPEG[2:300], False),
    "PNG": (PNG, True),
    "PNG and more": (PNG + bytes(500), True),
    "PNG cut": (PNG[: len(PNG) // 2], False),
}


@pytest.mark.parametrize("name", CASES)
def test_verify_and_reading_judge_alike(tmp_path: Path, name: str) -> None:
    data, good = CASES[name]
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    faults = image_faults(path)
    if good:
        assert load_image(path).size == (64, 48) and faults == []
        return
    with pytest.raises(DataError) as caught:
        load_image(path)
    assert len(faults) == 1 and str(path) in faults[0] and "\n" not in faults[0]
    assert name[:3] == "PNG" or faults == [str(caught.value)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_sizes_are_upright_and_damaged_metadata_is_silent(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(kind, exif=EXIF))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image(path).size == (48, 64)
        assert image_faults(path, (48, 64)) == []
        (fault,) = image_faults(path, (64, 48))
    assert "has 48 x 64 pixels upright, its labels 64 x 48" in fault
    path.write_bytes(path.read_bytes()[:20])
    assert len(image_faults(path, (48, 64))) == 1
    path.write_bytes(b"\xff\xd8\xff\xd9")
    assert "no readable header" in image_faults(path, (48, 64))[0]
