"""Parts of SyRIP: together all photos, no source in two of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Datasets.readers.syrip import open_syrip, source_of, source_parts
from Datasets.skeletons import COCO_17
from Datasets.structures import PoseSample
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from Engine.errors import DataError

SIZE = (64, 48)
SOURCES = ("a", "a", "a", "b", "b", "c", "c", "d", "e", "")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("syrip")
    pictures = [_picture(number, source) for number, source in enumerate(SOURCES, 1)]
    write_coco(folder, "train200", pictures)
    for picture in pictures:
        write_coco_image(
            folder, "train200", picture.file_name, np.full((*SIZE[::-1], 3), 90, np.uint8)
        )
    return folder


def _picture(number: int, source: str) -> CocoPicture:
    keypoints = np.random.default_rng(number).uniform(5, 40, (17, 2))
    box = np.array([2.0, 2.0, 45.0, 45.0])
    sample = PoseSample(
        Path("x.jpg"), COCO_17, keypoints, np.full(17, 2, np.uint8), box_xyxy=box, area_px=1849.0
    )
    more = (("image_source", source),) if source else ()
    return CocoPicture(f"{number}.jpg", number, SIZE, (CocoPerson(sample, None),), more=more)


def _photos(root: Path, split: str) -> set[int]:
    return {sample.image_id for sample in open_syrip(root, split).samples}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_parts_are_the_whole_and_share_no_source(root: Path, count: int) -> None:
    whole = open_syrip(root, "train").samples
    parts = [open_syrip(root, f"train:{n}of{count}").samples for n in range(1, count + 1)]
    assert sorted(s.image_id for part in parts for s in part) == [s.image_id for s in whole]
    sources = [{source_of(sample) for sample in part} for part in parts]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 6
    for number in range(1, count + 1):
        held_out, rest = (_photos(root, f"train:{w}{number}of{count}") for w in ("", "not-"))
        assert held_out | rest == {s.image_id for s in whole} and not held_out & rest


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (
            "https://www.youtube.com/watch?v=abc-1_2",
            "https://www.youtube.com/watch?v=abc-1_2&t=9s",
            1,
        ),
        ("http://youtu.be/abc-1_2", "https://www.youtube.com/watch?t=3&v=abc-1_2", 1),
        ("https://www.youtube.com/watch?v=abc-1_2", "https://www.youtube.com/watch?v=abc-1_3", 0),
        ("https://a.example/x.jpg?v=1", "https://a.example/y.jpg?v=1", 0),
        ("", "", 0),
    ],
)
def test_a_video_is_one_source_from_any_second(first: str, second: str, same: int) -> None:
    photos = [
        PoseSample.unlabelled(Path(name), COCO_17, sequence=sequence)
        for name, sequence in (("a.jpg", first), ("b.jpg", second))
    ]
    assert (source_of(photos[0]) == source_of(photos[1])) == bool(same)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1), st.integers(2, 5))
def test_parts_differ_by_one_source_at_most(sources: list[str], count: int) -> None:
    parts = source_parts(sources, count)
    sizes = [sum(parts[s] == n for s in sources) for n in range(1, count + 1)]
    assert max(sizes) - min(sizes) <= max(sources.count(s) for s in sources)
    assert parts == source_parts(sources[::-1], count)


@pytest.mark.parametrize("split", ["train:0of4", "train:5of4", "train:1of1"])
def test_a_part_that_does_not_exist_is_named(root: Path, split: str) -> None:
    with pytest.raises(DataError, match=f"'{split}' is no part"):
        open_syrip(root, split)
