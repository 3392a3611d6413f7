"""Identity switches: hand-made cases, and the tracker on twins before one camera."""

import numpy as np
import pytest
from PIL import Image

from Datasets.skeletons import INFANT
from Datasets.structures import Frame
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.metrics.tracking import identity_switches
from PoseEstimation.structures import Found, Keypoints

FPS, SIZE = 30.0, (640, 480)


@pytest.mark.parametrize(
    ("true_ids", "track_ids", "switches"),
    [
        ("", [], 0),
        ("aaaa", [1, 1, 1, 1], 0),
        ("aaaa", [1, 1, 2, 2], 1),
        ("aaaa", [1, 2, 1, 2], 3),
        ("abab", [1, 2, 1, 2], 0),
        ("abab", [1, 2, 2, 1], 2),
        ("abba", [1, 2, 2, 1], 0),
    ],
)
def test_switches_by_hand(true_ids, track_ids, switches):
    assert identity_switches(true_ids, track_ids) == switches


class Noisy:
    """Finds the true boxes, best first by chance, off by some noise; the score names the twin."""

    skeleton = INFANT

    def __init__(self, noise_px):
        self.noise_px, self.rng = noise_px, np.random.default_rng(0)

    def __call__(self, images, boxes=None, still=False):
        return [self.found(own) for own in boxes]

    def found(self, boxes):
        order = self.rng.permutation(len(boxes))
        off = self.rng.normal(0, self.noise_px, boxes.shape)
        points = np.zeros((len(boxes), len(INFANT), 2))
        return Found((boxes + off)[order], order.astype(float), Keypoints.exact(points))


def switches(left, right, noise_px=2.0):
    """Run two twins through the tracker.

    Args:
        left, right: box of each per frame, None where out of sight.
        noise_px: of the boxes.
    """
    pairs, image = list(zip(left, right, strict=True)), Image.new("RGB", SIZE)
    frames, who = [], []
    for i, pair in enumerate(pairs):
        shown = [(name, box) for name, box in zip("ab", pair, strict=True) if box is not None]
        boxes = np.array([box for _, box in shown], float).reshape(-1, 4)
        frames.append(Frame("twins", i, i / FPS, image, boxes_xyxy=boxes))
        who.append([name for name, _ in shown])
    results = Predictor(Noisy(noise_px)).run(frames, boxes="true")
    true_ids, track_ids = [], []
    for names, result in zip(who, results, strict=True):
        for infant in result.infants:
            true_ids.append(names[int(infant.box_score)])
            track_ids.append(infant.track_id)
    return identity_switches(true_ids, track_ids)


def still(x, count=60):
    return [np.array([x, 100, x + 150, 380])] * count


def crossing(count=60):
    """Two infants on one line that pass through one another."""
    return [
        [np.array([x, 100, x + 150, 380]) for x in np.linspace(*ends, count)]
        for ends in ((20, 450), (450, 20))
    ]


def test_twins_side_by_side_keep_their_numbers():
    assert switches(still(150), still(240)) == 0


def test_a_twin_out_of_sight_for_a_second_comes_back_as_itself():
    left = still(150)
    left[20:50] = [None] * 30
    assert switches(left, still(330)) == 0


def test_a_twin_out_of_sight_for_longer_than_tracks_live_is_a_new_one():
    left = still(150, 120)
    left[20:100] = [None] * 80
    assert switches(left, still(330, 120)) == 1


def test_boxes_that_pass_through_one_another_may_switch_once_each():
    """The tracker knows boxes only: at the crossing they are the same."""
    assert switches(*crossing()) in (0, 2)
    above = [None if box is None else box - [0, 60, 0, 60] for box in crossing()[1]]
    assert switches(crossing()[0], above, noise_px=0.0) in (0, 2)


def test_noise_as_large_as_the_boxes_is_seen():
    assert switches(still(150), still(160), noise_px=80.0) > 5
