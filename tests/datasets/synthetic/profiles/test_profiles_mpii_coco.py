"""Generated MPII and COCO: same bytes however made, labels that fit, all bodies clothed."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from Datasets.readers.coco import open_coco, read_part, region_mask
from Datasets.readers.mpii import open_mpii
from Datasets.skeletons import COCO_17, MPII_16
from Datasets.synthetic import workers
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.people.clothing import unlikeness
from Datasets.synthetic.people.phenotypes import AGES
from Datasets.synthetic.profiles import coco, mpii
from Datasets.synthetic.profiles.generation import random_source, write_pictures
from Datasets.verify.coco import verify_coco
from Datasets.verify.mpii import verify_mpii

IMAGES = 8
SMALL = ((256, 192), (200, 240))


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def mpii_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("mpii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mpii, "SIZES", SMALL)
        mpii.generate_mpii(root, IMAGES, seed=5)
    return root


@pytest.fixture(scope="module")
def coco_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("coco")
    coco.generate_coco(root, IMAGES, seed=5)
    return root


def test_same_seed_same_bytes_for_any_number_of_workers(coco_root, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CHUNK", 5)
    told = []
    coco.generate_coco(tmp_path, IMAGES, 5, 2, lambda done, total: told.append((done, total)))
    assert digests(tmp_path) == digests(coco_root)
    assert told[-1] == (IMAGES, IMAGES)


def test_what_is_collected_is_in_order_for_any_number_of_jobs(monkeypatch):
    for chunk in (1, 3, 50):
        monkeypatch.setattr(workers, "CHUNK", chunk)
        jobs = [(2, chunk) for chunk in workers.chunks(7)]
        made = workers.collect(lambda add, numbers: [n + add for n in numbers], jobs, 1)
        assert [number for part in made for number in part] == [*range(2, 9)]


def test_an_image_depends_on_the_seed_and_its_number_only(mpii_root, tmp_path, monkeypatch):
    monkeypatch.setattr(mpii, "SIZES", SMALL)
    write_pictures(mpii.MPII, tmp_path, 5, range(3, 4))
    write_pictures(mpii.MPII, tmp_path, 6, range(4, 5))
    same, other = (f"images/{number:09d}.jpg" for number in (3, 4))
    assert (tmp_path / same).read_bytes() == (mpii_root / same).read_bytes()
    assert (tmp_path / other).read_bytes() != (mpii_root / other).read_bytes()


def test_both_are_the_official_layout(mpii_root, coco_root):
    for found in (verify_mpii(mpii_root), verify_coco(coco_root)):
        assert found.ok, str(found)


def test_every_form_of_mpii_tells_the_same(mpii_root):
    train, valid = (open_mpii(mpii_root, part, form="json").samples for part in ("train", "valid"))
    official = {
        (s.image_path, tuple(s.box_xyxy.round(1))): s
        for s in open_mpii(mpii_root, "train", form="mat").samples
    }  # fmt: skip
    h5 = open_mpii(mpii_root, "train", form="h5").samples
    assert len(official) == len(train) + len(valid)
    assert len(h5) == len(train)
    for sample, whole in zip(train, h5, strict=True):
        other = official[sample.image_path, tuple(sample.box_xyxy.round(1))]
        seen = sample.visibility > 0
        assert np.array_equal(seen, other.visibility > 0)
        assert np.allclose(sample.keypoints_px[seen], other.keypoints_px[seen], atol=1e-3)
        assert np.abs(whole.keypoints_px[seen] - other.keypoints_px[seen]).max() <= 1
        assert other.head_length_px == pytest.approx(whole.head_length_px, abs=0.01)
    assert all(sample.head_box_xyxy is not None for sample in valid)


def test_mpii_labels_lie_in_the_picture_and_the_head_in_its_box(mpii_root):
    samples = open_mpii(mpii_root, "train", form="mat").samples
    assert {2, 1} <= {int(v) for sample in samples for v in sample.visibility}
    crown, neck = MPII_16.index("head_top"), MPII_16.index("upper_neck")
    for sample in samples:
        seen = sample.visibility > 0
        limit = np.array(Image.open(sample.image_path).size) - 1
        assert (sample.keypoints_px[seen] >= 0).all()
        assert (sample.keypoints_px[seen] <= limit).all()
        left, top, right, bottom = sample.head_box_xyxy
        if seen[crown]:
            x, y = sample.keypoints_px[crown]
            assert left - 1 < x < right + 1
            assert top - 1 < y < bottom + 1
        if seen[neck]:
            middle = np.array([left + right, top + bottom]) / 2
            away = np.linalg.norm(sample.keypoints_px[neck] - middle)
            assert away < 1.5 * sample.head_length_px
        assert sample.box_xyxy[2] - sample.box_xyxy[0] == pytest.approx(
            sample.box_xyxy[3] - sample.box_xyxy[1]
        )


def test_coco_masks_boxes_areas_and_joints_agree(coco_root):
    path = coco_root / "annotations" / "person_keypoints_train2017.json"
    content = json.loads(path.read_text())
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    shares = []
    for one in content["annotations"]:
        mask = region_mask(one["segmentation"], sizes[one["image_id"]])
        assert mask.sum() == one["area"]
        rows, columns = np.nonzero(mask)
        x, y, width, height = one["bbox"]
        assert x <= columns.min()
        assert columns.max() <= x + width
        assert y <= rows.min()
        assert rows.max() <= y + height
        joints = np.array(one["keypoints"]).reshape(17, 3)
        shown = joints[joints[:, 2] == 2, :2].round().astype(int)
        shares += mask[shown[:, 1], shown[:, 0]].tolist()
    assert np.mean(shares) > 0.8
    samples = open_coco(coco_root, "train2017").samples
    labelled = [
        one for one in content["annotations"] if one["num_keypoints"] and not one["iscrowd"]
    ]
    assert [sample.annotation_id for sample in samples] == [one["id"] for one in labelled]
    assert all(sample.skeleton is COCO_17 for sample in samples)


def test_crowds_are_regions_to_ignore(tmp_path):
    for number in range(200):
        if random_source(9, "coco", number).random() < coco.CROWD_SHARE:
            entry = write_pictures(coco.COCO, tmp_path, 9, range(number, number + 1))[0]
            if any(one["iscrowd"] for one in entry.annotations):
                break
    split = "train2017"
    crowd = next(one for one in entry.annotations if one["iscrowd"])
    assert crowd["area"] >= coco.MIN_PIXELS
    assert crowd["num_keypoints"] == 0
    coco.write_coco(tmp_path, split, [entry])
    image = read_part(tmp_path, split).images[0]
    (region,) = image.ignored
    assert region_mask(region, image.size).sum() >= crowd["area"]
    assert len(image.people) == sum(not one["iscrowd"] for one in entry.annotations)


def test_pictures_are_bright_varied_and_not_alike(mpii_root, coco_root):
    small = []
    for path in [*mpii_root.rglob("*.jpg"), *coco_root.rglob("*.jpg")]:
        picture = np.asarray(Image.open(path).convert("RGB").resize((32, 24)), dtype=float)
        assert 12 < picture.mean() < 235
        assert picture.std() > 8
        small.append(picture)
    assert len(small) == 2 * IMAGES
    apart = [np.abs(a - b).mean() for i, a in enumerate(small) for b in small[:i]]
    assert min(apart) > 12


@pytest.mark.parametrize("age", sorted(AGES))
def test_bodies_of_every_age_are_clothed(age):
    trunk = weight_of(("spine01", "spine02", "spine03", "spine04", "spine05", "pelvis")) > 0.8
    arms = weight_of(("upperarm", "lowerarm", "wrist", "metacarpal", "finger"))
    for seed in range(6):
        guest = draw_figure(np.random.default_rng(seed), age)
        up = guest.shape.vertices[:, 2] - guest.shape.heads[0, 2]
        hips = (np.abs(up) < 0.03 * guest.size_m) & (arms == 0)
        covered = (guest.look.fields > 0).any(axis=1)
        tones = [tone for cloth in guest.look.materials for tone in cloth.colours]
        assert min(unlikeness(tone, guest.look.skin) for tone in tones) > 0.15
        assert hips.sum() > 30
        assert covered[hips].mean() > 0.97
        if age not in ("infant", "toddler"):
            assert trunk.sum() > 500
            assert covered[trunk].mean() > 0.97


def test_areas_are_the_boxes_in_syrip_as_in_its_own_annotations(tmp_path):
    coco.generate_coco(tmp_path, 2, style=coco.SYRIP)
    paths = (tmp_path / "annotations").glob("*.json")
    people = [one for path in paths for one in json.loads(path.read_text())["annotations"]]
    assert people
    for one in people:
        assert one["area"] == pytest.approx(one["bbox"][2] * one["bbox"][3], rel=1e-3)
        assert one["area"] > sum(one["segmentation"]["counts"][1::2])
