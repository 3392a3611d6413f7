"""Photos: upright whatever EXIF says, whole or refused in one line, and nothing done in silence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from Datasets.readers import images
from Datasets.readers.images import load_image, load_mask, read_photo
from Datasets.readers.video import iter_frames
from Engine.errors import DataError

FORMATS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}
CORNERS = np.array([[[200, 30, 30], [30, 200, 30]], [[30, 30, 200], [200, 200, 30]]], np.uint8)
STORED = {  # how a picture lies in the file, for each orientation
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def picture(height: int = 32, width: int = 48) -> np.ndarray:
    """Four corners of different colours, higher than wide or wider than high as asked."""
    return CORNERS.repeat(height // 2, 0).repeat(width // 2, 1)


def noise(height: int = 40, width: int = 56, seed: int = 0) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, name: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def close(image: Image.Image, expected: np.ndarray) -> bool:
    shown = np.asarray(image).astype(int)
    return shown.shape == expected.shape and np.abs(shown - expected).mean() < 12


def exif_block(value: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x10F], exif[0x131], exif[0x13B] = "maker", "software", "someone"
    exif[0x112], exif[0x11A], exif[0x11B] = value, 72.0, 72.0
    return exif.tobytes()


@pytest.mark.parametrize("value", STORED)
@pytest.mark.parametrize("name", FORMATS)
def test_every_orientation_is_turned_upright(tmp_path: Path, name: str, value: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[value](picture())))
    path = written(tmp_path / "a", encoded(stored, name, exif=exif_block(value)))
    photo = read_photo(path)
    assert close(photo.image, picture()) and photo.notes == ()
    assert np.array_equal(np.asarray(load_image(path)), np.asarray(photo.image))


def entry_of(block: bytes, tag: int) -> int:
    """Where the entry of a tag begins in an EXIF block or TIFF file."""
    order = "<" if block[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    return next(at for at in places if struct.unpack_from(order + "H", block, at)[0] == tag)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_costs_at_most_the_turn(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(17)
    stored = Image.fromarray(picture())
    block = exif_block().removeprefix(b"Exif\0\0")
    at = entry_of(block, 0x112)
    needed = {*range(10), *range(at, at + 12)}
    others = [i for i in range(len(block)) if i not in needed]
    turned = 0
    for number in range(300):
        mutated = bytearray(block)
        for i in rng.choice(others if number % 2 else len(block), rng.integers(1, 9)):
            mutated[i] = rng.integers(256)
        data = encoded(stored, name, exif=b"Exif\0\0" + bytes(mutated))
        photo = read_photo(written(tmp_path / "a", data))
        as_said = close(photo.image, np.rot90(picture(), -1))
        assert as_said or number % 2 == 0
        turned += as_said
        assert as_said or any(close(photo.image, turn(picture())) for turn in STORED.values())
    assert turned < 300  # some did damage it


def test_damaged_tags_of_a_tiff_do_not_count(tmp_path: Path) -> None:
    rng = np.random.default_rng(18)
    exif = Image.Exif()
    exif.load(exif_block())
    data = encoded(Image.fromarray(picture()), "TIFF", exif=exif)
    for _ in range(300):
        mutated = bytearray(data)
        for tag in rng.choice([0x10F, 0x11A, 0x11B, 0x131, 0x13B], 2):
            at = entry_of(data, tag)
            mutated[at + 2 : at + 12] = rng.bytes(10)
        photo = read_photo(written(tmp_path / "a.tif", bytes(mutated)))
        assert close(photo.image, np.rot90(picture(), -1))


def test_signed_resolution_beside_an_orientation(tmp_path: Path) -> None:
    block = bytearray(exif_block().removeprefix(b"Exif\0\0"))
    at = entry_of(bytes(block), 0x11A)
    (value,) = struct.unpack_from(">I", block, at + 8)
    struct.pack_into(">H", block, at + 2, 10)  # SRATIONAL
    struct.pack_into(">i", block, value, -72)
    data = encoded(Image.fromarray(picture()), "JPEG", exif=b"Exif\0\0" + bytes(block))
    frame = next(iter_frames(written(tmp_path / "a.jpg", data)))
    assert frame.error is None and close(frame.image, np.rot90(picture(), -1))


def chunk(kind: bytes, body: bytes, crc: int = 0) -> bytes:
    checksum = zlib.crc32(kind + body) ^ crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunk(png: bytes, extra: bytes) -> bytes:
    """Insert after the header chunk."""
    return png[:33] + extra + png[33:]


def test_text_of_a_png_does_not_matter(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("workflow", "x" * 3_000_000, zip=True)
    text.add_itxt("more", "y" * 3_000_000, zip=True)
    plain = encoded(Image.fromarray(picture()), "PNG")
    long = encoded(Image.fromarray(picture()), "PNG", pnginfo=text)
    broken = with_chunk(plain, chunk(b"tEXt", b"Title\0x", crc=1))
    profile = with_chunk(plain, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(3_000_000))))
    for data in (long, broken, profile):
        photo = read_photo(written(tmp_path / "a.png", data))
        assert close(photo.image, picture()) and photo.notes == ()


@pytest.mark.parametrize("packed", [False, True])
def test_orientation_in_a_text_chunk_of_a_png(tmp_path: Path, packed: bool) -> None:
    block = exif_block(3)
    text = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    body = b"\0" + zlib.compress(text) if packed else text
    extra = chunk(b"zTXt" if packed else b"tEXt", b"Raw profile type exif\0" + body)
    png = with_chunk(encoded(Image.fromarray(picture()), "PNG"), extra)
    assert close(read_photo(written(tmp_path / "a.png", png)).image, picture()[::-1, ::-1])


def fuzzed(data: bytes, number: int, rng: np.random.Generator) -> bytes:
    """Cut a file, or change some of its bytes, half of the time in its header."""
    if number % 3 == 0:
        return data[: rng.integers(len(data))]
    mutated = bytearray(data)
    for i in rng.integers(0, len(data) if number % 3 == 1 else min(len(data), 200), 4):
        mutated[i] = rng.integers(256)
    return bytes(mutated)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
        ("BMP", {}),
        ("AVIF", {}),
    ],
)
def test_damage_gives_an_image_or_one_line(tmp_path: Path, name: str, options: dict) -> None:
    rng = np.random.default_rng(19)
    data = encoded(noise(), name, **options)
    errors = 0
    for number in range(200):
        path = written(tmp_path / "a", fuzzed(data, number, rng))
        try:
            assert read_photo(path).image.mode == "RGB"
        except DataError as error:
            errors += 1
            assert str(path) in str(error) and "\n" not in str(error)
    assert errors > 20


@pytest.mark.parametrize(
    "failure", [MemoryError(), OverflowError("a\nb"), KeyError(3), TypeError()]
)
def test_whatever_a_decoder_raises_is_one_line(tmp_path: Path, monkeypatch, failure) -> None:
    path = written(tmp_path / "a.png", encoded(noise(), "PNG"))

    def load(self) -> None:
        raise failure

    monkeypatch.setattr(PngImageFile, "load", load)
    for read in (read_photo, load_image, load_mask):
        with pytest.raises(DataError, match=r"a\.png") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_last_two_bytes_is_whole(tmp_path: Path, options, mode) -> None:
    data = encoded(noise().convert(mode), "JPEG", **options)
    whole = load_image(written(tmp_path / "a.jpg", data))
    path = written(tmp_path / "a.jpg", data[:-2])
    photo = read_photo(path)
    assert np.array_equal(np.asarray(photo.image), np.asarray(whole))
    assert photo.notes == ("the end of the file is missing, no row is lost",)
    assert np.array_equal(np.asarray(load_image(path)), np.asarray(whole))
    assert next(iter_frames(path)).notes == photo.notes


def test_a_jpeg_may_lack_a_few_rows_in_a_photo_only(tmp_path: Path) -> None:
    data = encoded(noise(800, 300), "JPEG", quality=90)
    path = written(tmp_path / "a.jpg", data[:-200])
    photo = read_photo(path)
    assert photo.notes == ("the end of the file is missing, 16 of 800 rows are grey",)
    assert np.abs(np.asarray(photo.image)[:780] - np.asarray(noise(800, 300))[:780]).mean() < 90
    with pytest.raises(DataError, match="last 16 of 800 rows missing"):
        load_image(path)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_half_a_picture_is_refused(tmp_path: Path, name: str) -> None:
    for options in ({}, {"progressive": True}) if name == "JPEG" else ({},):
        data = encoded(noise(200, 300), name, **options)
        path = written(tmp_path / "a", data[: len(data) // 2])
        for read in (read_photo, load_image):
            with pytest.raises(DataError, match="damaged"):
                read(path)


def test_transparency_is_shown_over_white(tmp_path: Path) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:, :4] = [200, 0, 0, 255]
    rgba[0, 4] = [0, 0, 0, 128]
    cut_out = Image.fromarray(rgba)
    palette = Image.fromarray(np.array([[0, 1]], np.uint8).repeat(4, 1).repeat(8, 0)).convert("P")
    palette.putpalette([200, 0, 0, 0, 0, 0])
    for image, options in ((cut_out, {}), (palette, {"transparency": 1})):
        path = written(tmp_path / "a.png", encoded(image, "PNG", **options))
        photo = read_photo(path)
        assert photo.image.getpixel((1, 1)) == (200, 0, 0)
        assert photo.image.getpixel((6, 6)) == (255, 255, 255)
        assert photo.notes == ("transparent parts are shown over white",)
    path = written(tmp_path / "a.png", encoded(cut_out, "PNG"))
    assert read_photo(path).image.getpixel((4, 0)) == (127, 127, 127)
    grey = Image.fromarray(np.array([[[90, 255], [90, 0]]], np.uint8), "LA")
    path = written(tmp_path / "a.png", encoded(grey, "PNG"))
    assert [read_photo(path).image.getpixel((x, 0))[0] for x in (0, 1)] == [90, 255]
    opaque = written(tmp_path / "b.png", encoded(noise().convert("RGBA"), "PNG"))
    assert read_photo(opaque).notes == ()


def test_transparent_parts_of_a_mask_are_background(tmp_path: Path) -> None:
    mask = np.array([[[255, 255, 255, 255], [255, 255, 255, 0], [0, 0, 0, 0]]], np.uint8)
    path = written(tmp_path / "a.png", encoded(Image.fromarray(mask), "PNG"))
    assert np.asarray(load_mask(path)).tolist() == [[255, 0, 0]]


def test_cmyk_and_ycck_have_their_colours(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jpg", encoded(Image.fromarray(picture()).convert("CMYK"), "JPEG"))
    assert close(read_photo(path).image, picture())
    # YCCK: cyan, magenta and yellow as luminance and colour, all inverted as Adobe does.
    cmy = Image.fromarray(255 - picture()).convert("YCbCr")
    black = Image.new("L", cmy.size, 255)
    inks = [band.point(lambda value: 255 - value) for band in (*cmy.split(), black)]
    data = bytearray(encoded(Image.merge("CMYK", inks), "JPEG"))
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data[adobe + 11] = 2
    assert close(read_photo(written(tmp_path / "b.jpg", bytes(data))).image, picture())


def test_large_jpeg_photos_are_halved_and_say_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    stored = Image.fromarray(picture())
    path = written(tmp_path / "a.jpg", encoded(stored, "JPEG", exif=exif_block(6)))
    photo = read_photo(path)
    assert close(photo.image, np.rot90(picture(16, 24), -1))
    assert photo.notes == ("read at 1/2 scale, as 16x24",) and photo.full_size == (32, 48)
    with pytest.raises(DataError, match="megapixels"):
        load_image(path)
    with pytest.raises(DataError, match="megapixels"):
        read_photo(written(tmp_path / "a.png", encoded(stored, "PNG")))
    larger = Image.fromarray(picture(64, 96))
    with pytest.raises(DataError, match="megapixels"):
        read_photo(written(tmp_path / "a.jpg", encoded(larger, "JPEG")))


def test_huge_images_are_refused_before_decoding(tmp_path: Path, monkeypatch) -> None:
    def load(self) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImageFile, "load", load)
    small = encoded(Image.new("1", (8, 8)), "PNG")
    for size in ((10_000, 5_001), (20_000, 9_001), (65_000, 65_000)):
        header = chunk(b"IHDR", struct.pack(">II", *size) + small[24:29])
        path = written(tmp_path / "huge.png", small[:8] + header + small[33:])
        for read in (read_photo, load_image):
            with pytest.raises(DataError, match="megapixels"):
                read(path)


def test_files_that_are_not_read(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path / "notes.jpg", b"dear diary")
    with pytest.raises(DataError, match=r"notes\.jpg is not a"):
        load_image(path)
    with pytest.raises(DataError, match=r"notes\.jpg"):
        load_image(written(path, b""))
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    with pytest.raises(DataError, match="larger than 100 bytes"):
        load_image(written(path, encoded(noise(), "PNG")))
    with pytest.raises(DataError, match="HEIC"):
        read_photo(written(path, b"\0\0\0\x18ftypheic" + bytes(40)))
    with pytest.raises(DataError, match="does not exist"):
        load_image(tmp_path / "none.png")


def test_further_pictures_of_a_file_are_named(tmp_path: Path) -> None:
    pages = [Image.fromarray(picture()), noise(32, 48), noise(32, 48, seed=1)]
    for name in ("TIFF", "WEBP", "PNG"):
        data = encoded(pages[0], name, save_all=True, append_images=pages[1:])
        photo = read_photo(written(tmp_path / "a", data))
        assert close(photo.image, picture())
        assert photo.notes == ("the file holds several pictures; the first is read",)


def test_big_tiff_is_read(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(picture()), "TIFF", big_tiff=True, exif=exif_block(3))
    assert data[2] == 43
    photo = read_photo(written(tmp_path / "a.tif", data))
    assert close(photo.image, picture()[::-1, ::-1])


def test_errors_of_photos_are_frames_with_printable_names(tmp_path: Path) -> None:
    written(tmp_path / "a.png", encoded(noise(), "PNG"))
    names = ["b\nc.jpg", "d'\"e.jpg", "\N{BABY}.jpg", "\udce9.jpg"]
    for name in names:
        written(tmp_path / name, b"no photo")
    frames = [next(iter_frames(tmp_path / name)) for name in ["a.png", *names]]
    assert frames[0].error is None and all(frame.image is None for frame in frames[1:])
    assert all(frame.error.isprintable() for frame in frames[1:])
    shown = [r"b\nc.jpg", "d'\"e.jpg", "\N{BABY}.jpg", r"\udce9.jpg"]
    assert all(name in frame.error for name, frame in zip(shown, frames[1:], strict=True))
    assert [Path(frame.source).name for frame in frames[1:]] == names


@pytest.mark.parametrize("name", ["\udce9.png", "b\nc.png", "d'\"e.png", "\N{BABY}.png"])
def test_names_of_any_kind_are_read(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, encoded(Image.fromarray(picture()), "PNG"))
    assert close(read_photo(path).image, picture())
