"""Profile ``scenes``: same bytes for any number of processes, ages, empty pictures."""

import hashlib
import json

import pytest

from Datasets.readers.coco import read_part
from Datasets.synthetic import workers
from Datasets.synthetic.compose import kinds
from Datasets.synthetic.compose.kinds import KINDS, YOUNG
from Datasets.synthetic.people.phenotypes import AGES
from Datasets.synthetic.profiles import scenes
from Datasets.synthetic.profiles.coco import generate_coco
from Datasets.synthetic.profiles.generation import write_pictures
from Datasets.verify.coco import verify_coco
from Datasets.writers.coco import write_coco

GROWN = {"child", "adult", "elder"}


SMALL = (200, 150)


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory):
    """A folder with one small picture of every kind, in their order."""
    root, entries = tmp_path_factory.mktemp("scenes"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "SIZES", (SMALL,))
        patch.setattr(scenes, "EVERYDAY_SHARE", 0.0)
        for number, kind in enumerate(KINDS):
            patch.setattr(kinds, "draw_kind", lambda rng, kind=kind: kind)
            entries += write_pictures(scenes.STYLE, root, 5, range(number, number + 1))
    write_coco(root, "train2017", entries)
    (root / "generator.json").write_text("{}")
    return root


def test_same_seed_same_bytes_for_any_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CHUNK", 2)
    for count in (1, 2):
        generate_coco(tmp_path / str(count), 4, 5, count, style=scenes.STYLE)
    assert len(digests(tmp_path / "1")) == 6
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_a_folder_is_the_layout_with_ages_and_empty_pictures(one_of_each):
    found = verify_coco(one_of_each)
    assert found.ok, str(found)
    split = "train2017"
    path = one_of_each / "annotations" / f"person_keypoints_{split}.json"
    content = json.loads(path.read_text())
    assert [image["scene"] for image in content["images"]] == list(KINDS)
    kinds = {image["id"]: image["scene"] for image in content["images"]}
    ages = {kind: set() for kind in KINDS}
    for one in content["annotations"]:
        ages[kinds[one["image_id"]]].add(one["age"])
        assert not one["iscrowd"]
    assert ages["empty"] == set()
    assert ages["grown"] and ages["grown"] <= GROWN
    assert all(ages[kind] & set(YOUNG) for kind in ("alone", "cared", "hidden"))
    assert set().union(*ages.values()) <= set(AGES)
    images = dict(zip(KINDS, read_part(one_of_each, split).images, strict=True))
    assert images["empty"].people == images["empty"].ignored == ()
    assert {person.age for person in images["alone"].people} <= set(YOUNG)
