"""Self-training: joints are trusted where a network agrees with itself, and no others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.catalogue import open_sources
from Datasets.geometry.affine import transform_points
from Datasets.readers.self_labels import SelfLabels, person_keys
from Datasets.skeletons import INFANT, MPII_16
from Datasets.sources import DataSource
from Datasets.structures import PoseSample
from Engine.errors import DataError
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.stage_settings import SelfLabelSettings
from PoseEstimation.structures import Found, Keypoints
from PoseEstimation.training.self_label import VIEWS, self_agreement, view_frames, view_matrix

BOX = np.array([20.0, 10, 100, 70])
SETTINGS = SelfLabelSettings(min_score=0.5, max_spread=0.05)
JOINTS = len(INFANT)


def picture():
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


SAMPLE = PoseSample.unlabelled(Path("x.png"), INFANT, box_xyxy=BOX)


class Eight:
    """A finder of the true joints of each of the eight views, with given mistakes."""

    skeleton = INFANT

    def __init__(self, wander=0.0, unsure=(), forgets_to_swap=False):
        self.truth = np.random.default_rng(1).uniform(20, 70, (JOINTS, 2))
        self.wander, self.unsure, self.forgets_to_swap = wander, unsure, forgets_to_swap

    def __call__(self, images, boxes=None, still=False):
        rng, found = np.random.default_rng(2), []
        for (degrees, mirrored), image, box in zip(VIEWS, images, boxes, strict=True):
            size = (120, 90) if degrees in (0, 180) else (90, 120)
            assert image.size == size and (box[0, 2:] > box[0, :2]).all()
            assert (box >= 0).all() and (box[0, 2:] < size).all() and not still
            swapped = mirrored and not self.forgets_to_swap
            truth = self.truth[list(INFANT.flip_indices)] if swapped else self.truth
            points = transform_points(view_matrix(degrees, mirrored, (120, 90)), truth)
            points = points + rng.normal(0, self.wander, truth.shape)
            one, scores = np.ones((1, JOINTS)), np.ones((1, JOINTS))
            scores[:, list(self.unsure)] = 0.1
            found.append(Found(box, np.ones(1), Keypoints(points[None], scores, one, one)))
        return found

    def labels(self):
        settings = PredictSettings(batch_size=8)
        frames = view_frames([SAMPLE], BOX[None])
        views = list(Predictor(self, settings=settings).run(frames, boxes="true"))
        return self_agreement(views, BOX, INFANT, SETTINGS)


@pytest.fixture(autouse=True)
def image(monkeypatch):
    monkeypatch.setattr("Datasets.readers.frames.load_image", lambda path: picture())


def test_a_pixel_of_the_picture_is_where_the_view_matrix_says():
    pixels = np.asarray(picture())
    for (degrees, mirrored), frame in zip(VIEWS, view_frames([SAMPLE], BOX[None]), strict=True):
        view, matrix = np.asarray(frame.image), view_matrix(degrees, mirrored, (120, 90))
        for x, y in ((0, 0), (30, 20), (119, 89)):
            column, row = transform_points(matrix, np.array([x, y])).round().astype(int)
            assert (view[row, column] == pixels[y, x]).all()


def test_joints_that_agree_in_all_views_are_trusted():
    network = Eight()
    points, trusted = network.labels()
    np.testing.assert_allclose(points, network.truth, atol=1e-9)
    assert trusted.all()


def test_joints_that_wander_or_score_low_are_not_trusted():
    assert not Eight(wander=20.0).labels()[1].any()
    nose = INFANT.index("nose")
    _, trusted = Eight(unsure=(nose,)).labels()
    assert not trusted[nose] and trusted.sum() == JOINTS - 1
    _, trusted = Eight(forgets_to_swap=True).labels()
    middle = np.array(INFANT.flip_indices) == np.arange(JOINTS)
    assert trusted[middle].all() and not trusted[~middle].all()


def test_labels_take_the_place_of_the_data_sets_own(root, tmp_path):
    dataset = open_sources([DataSource("mini_rgbd", "1-2", root)], INFANT)[0]
    people = person_keys(dataset)
    assert len(set(people)) == len(dataset)
    points = np.random.default_rng(0).uniform(0, 99, (len(people), JOINTS, 2))
    trusted = np.ones((len(people), JOINTS), bool)
    trusted[0], trusted[1, 2:] = False, False
    path = tmp_path / "labels.npz"
    SelfLabels(INFANT, people, points, trusted).write(path)
    given = open_sources([DataSource("mini_rgbd", "1-2", root, labels=path)], INFANT)[0]
    lent = given.samples
    assert person_keys(given) == people[1:]
    twice = replace(dataset, samples=dataset.samples[:1] * 2)
    with pytest.raises(DataError, match="are not distinguishable"):
        person_keys(twice)
    assert (lent[0].visibility > 0).sum() == 2 and np.isnan(lent[0].keypoints_px[2:]).all()
    np.testing.assert_allclose(lent[1].keypoints_px, points[2], atol=1e-4)
    assert lent[1].joints_mm is None and lent[1].box_xyxy is dataset.samples[2].box_xyxy


def test_labels_that_do_not_fit_are_refused(root, tmp_path):
    path = tmp_path / "labels.npz"
    source = DataSource("mini_rgbd", "1", root, labels=path)
    with pytest.raises(DataError, match=r"labels\.npz"):
        open_sources([source], INFANT)
    points = np.zeros((1, JOINTS, 2))
    SelfLabels(INFANT, ["nobody"], points, np.ones((1, JOINTS), bool)).write(path)
    with pytest.raises(DataError, match="none of"):
        open_sources([source], INFANT)
    with pytest.raises(DataError, match="not mpii_16"):
        open_sources([source], MPII_16)
    path.write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(DataError, match="damaged"):
        open_sources([source], INFANT)
