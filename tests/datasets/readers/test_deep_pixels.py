"""Pixels of more than 8 bits: never black in silence; data sets map all frames alike or refuse."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from Datasets.readers.images import load_image, load_mask, read_photo
from Datasets.readers.video import iter_frames
from Engine.errors import DataError

RAMP = np.linspace(0, 1, 24 * 32).reshape(24, 32)
SHOWN = np.floor(RAMP * 255.999)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def deep_png(path: Path, values: np.ndarray, stated_bits: int | None = None) -> Path:
    """Write 16-bit grey, grey and alpha, RGB or RGBA."""
    height, width = values.shape[:2]
    channels = values.size // (height * width)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values.reshape(height, -1))
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    if stated_bits is not None:
        parts.append(chunk(b"sBIT", bytes([stated_bits] * channels)))
    parts += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def deep_tiff(path: Path, values: np.ndarray) -> Path:
    """Write 16-bit RGB, which Pillow cannot."""
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("tiff", rate=1)
        stream.height, stream.width, stream.pix_fmt = *values.shape[:2], "rgb48le"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(values, format="rgb48le")))
        container.mux(stream.encode())
    return path


def ramp(top: int, channels: int = 1) -> np.ndarray:
    """Values from 0 to ``top``; a fourth or second channel is opaque."""
    values = np.repeat((RAMP * (top + 0.999)).astype(np.uint16)[..., None], channels, 2)
    if channels in (2, 4):
        values[..., -1] = 65535
    return values.squeeze()


def is_shown(image: Image.Image, expected: np.ndarray = SHOWN) -> bool:
    values = np.asarray(image).astype(float)
    return image.mode == "RGB" and np.abs(values - expected[..., None]).max() <= 2


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_png_values_of_fewer_bits_are_scaled_and_said(tmp_path: Path, bits: int, channels) -> None:
    top = 2**bits - 1
    path = deep_png(tmp_path / "a.png", ramp(top, channels))
    frame = next(iter_frames(path))
    assert is_shown(frame.image)
    note = f"16-bit values up to {top} scaled to 8 bits as {bits}-bit values"
    assert frame.notes == (() if bits == 16 else (note,))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_tiff_values_of_fewer_bits_are_scaled(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    for values in (ramp(4095), ramp(4095).astype(np.int32)):
        Image.fromarray(values).save(path, compression=compression)
        photo = read_photo(path)
        assert is_shown(photo.image) and "up to 4095" in photo.notes[0]
    assert is_shown(read_photo(deep_tiff(path, ramp(4095, 3))).image)


def test_neighbouring_frames_keep_their_brightness(tmp_path: Path) -> None:
    for top in (2100, 3000, 4095):
        values = np.full((8, 8), 2000, np.uint16)
        values[0, 0] = top
        photo = read_photo(deep_png(tmp_path / "a.png", values))
        assert photo.image.getpixel((4, 4)) == (125, 125, 125)


def test_a_file_may_state_its_bits_and_range(tmp_path: Path) -> None:
    values = ramp(1000)
    for read in (lambda path: read_photo(path).image, load_image):
        assert is_shown(read(deep_png(tmp_path / "a.png", values, 12)), np.floor(values / 16))
        # As the PNG standard wants it: scaled to 16 bits, of which 12 are significant.
        assert is_shown(read(deep_png(tmp_path / "a.png", ramp(65535), 12)))
        path = tmp_path / "a.tif"
        info = {340: 20.0, 341: 45.0}
        warm = Image.fromarray((20 + 25 * RAMP).astype(np.float32))
        warm.save(path, tiffinfo=info)
        assert is_shown(read(path))
    assert read_photo(path).notes == ("values from 20 to 45 (stated) scaled to 8 bits",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (RAMP.astype(np.float32), None),
        ((255 * RAMP).astype(np.float32), "values from 0 to 255 scaled to 8 bits"),
        ((30 + 10 * RAMP).astype(np.float32), "values from 30 to 40 scaled to 8 bits"),
        ((0.01 * RAMP).astype(np.float32), "values from 0 to 0.01 scaled to 8 bits"),
        ((4e6 * RAMP - 1e6).astype(np.int32), "values from -1e+06 to 3e+06 scaled to 8 bits"),
    ],
)
def test_floats_and_large_numbers(tmp_path: Path, values: np.ndarray, said: str | None) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    photo = read_photo(path)
    assert is_shown(photo.image) and photo.notes == (() if said is None else (said,))
    if said is None:
        assert is_shown(load_image(path))
    else:
        with pytest.raises(DataError, match="does not state their range"):
            load_image(path)


def test_unsigned_32_bit_values_are_not_taken_as_negative(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray((RAMP * (2**32 - 1)).astype(np.uint32).view(np.int32)).save(path)
    data = bytearray(path.read_bytes())
    entry = data.index(struct.pack("<HHI", 339, 3, 1))
    struct.pack_into("<H", data, entry + 8, 1)  # SampleFormat: unsigned
    path.write_bytes(data)
    assert is_shown(read_photo(path).image)


def test_zero_may_be_white(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(65535 - ramp(65535)).save(path)
    data = bytearray(path.read_bytes())
    entry = data.index(struct.pack("<HHI", 262, 3, 1))
    struct.pack_into("<H", data, entry + 8, 0)
    path.write_bytes(data)
    assert is_shown(read_photo(path).image)


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    path, values = tmp_path / "a.tif", RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(path)
    assert is_shown(read_photo(path).image)
    Image.fromarray(values * np.nan).save(path)
    with pytest.raises(DataError, match="no finite value"):
        read_photo(path)


def test_images_of_data_sets_keep_the_upper_byte_or_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    for value in (4096, 128 * 256, 65535):
        image = load_image(deep_png(path, np.full((4, 4), value, np.uint16)))
        assert image.getpixel((1, 1)) == (value // 256,) * 3
    for channels in (1, 3):
        deep_png(path, ramp(4095, channels))
        for read in (load_image, load_mask):
            with pytest.raises(DataError, match="from 0 to 4095"):
                read(path)
    assert not np.asarray(load_image(deep_png(path, np.zeros((4, 4), np.uint16)))).any()
