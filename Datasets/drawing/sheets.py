"""Contact sheets: many pictures on one."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

PAPER = (250, 250, 250)
INK = (30, 30, 35)


def contact_sheet(
    pictures: Sequence[Image.Image],
    labels: Sequence[str] = (),
    columns: int = 4,
    cell: tuple[int, int] = (320, 240),
    title: str = "",
) -> Image.Image:
    """Lay pictures out in rows, each fitted into its cell with its shape kept.

    Args:
        pictures: RGB images of any size.
        labels: text under each picture; none or one per picture.
        columns: pictures per row.
        cell: (width, height) in pixels of the space of one picture.
        title: text above all.

    Raises:
        ValueError: no picture, or another number of labels than of pictures.
    """
    if not pictures or (labels and len(labels) != len(pictures)):
        raise ValueError(f"contact sheet: {len(pictures)} pictures, {len(labels)} labels")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    gap, text = 8, 20 if labels else 0
    top = 36 if title else 0
    step = (cell[0] + gap, cell[1] + text + gap)
    sheet = Image.new("RGB", (columns * step[0] + gap, top + rows * step[1] + gap), PAPER)
    draw = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(size=18), ImageFont.load_default(size=13)
    if title:
        draw.text((gap, top / 2 + gap / 2), title, font=font, fill=INK, anchor="lm")
    for i, picture in enumerate(pictures):
        x, y = gap + i % columns * step[0], top + gap + i // columns * step[1]
        fitted = ImageOps.contain(picture.convert("RGB"), cell, Image.Resampling.LANCZOS)
        sheet.paste(fitted, (x + (cell[0] - fitted.width) // 2, y + (cell[1] - fitted.height) // 2))
        if labels:
            middle = (x + cell[0] / 2, y + cell[1] + text / 2)
            draw.text(middle, labels[i], font=small, fill=INK, anchor="mm")
    return sheet
