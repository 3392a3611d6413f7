"""No face that somebody suspected stays clear, in a photo and through a video."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from Datasets.readers.video import Frame, iter_frames
from Datasets.skeletons import COCO_17, INFANT
from PoseEstimation.result import Adult, FrameResult, InfantPose
from PoseEstimation.visualise.faces import HEAD, SAME_IOU, Area, FaceBlur, blurred, head_areas
from PoseEstimation.visualise.overlay import OverlayStyle, open_overlay

SIZE = (320, 240)
JOINTS = len(INFANT)
BOX = np.array([20.0, 20, 140, 220])
HEAD_PX = 50.0
"""Height of the head of the infant in ``BOX``."""
CROWN = np.array([80.0, 50])
"""Middle of that head."""


def infant(
    box=BOX, middle=CROWN, turn=None, track=1, trunk=("shoulder", "hip"), **given
) -> InfantPose:
    """One upright in a box, its head about a place; the camera looks along the second axis."""
    turn = np.eye(3) if turn is None else turn
    points = np.full((JOINTS, 2), np.nan)
    head = np.array(list(HEAD.values())) @ turn.T
    points[INFANT.indices(list(HEAD))] = middle + HEAD_PX * head[:, [0, 2]] * [1, -1]
    for part, y in zip(trunk, (35, 100), strict=True):
        for side, x in (("left", 15), ("right", -15)):
            points[INFANT.index(f"{side}_{part}")] = middle + [x, y]
    ones = np.ones(JOINTS)
    scores = np.where(np.isfinite(points[:, 0]), 0.9, 0.0)
    pose = InfantPose(track, box, 0.9, points, scores, ones, np.zeros((JOINTS, 3)), ones)
    return replace(pose, **given)


def frame(*infants, suspected=(), adults=(), time_s=0.0, size=SIZE) -> FrameResult:
    boxes = np.array(suspected, float).reshape(-1, 4)
    adults = tuple(Adult(np.array(box, float), 0.9) for box in adults)
    return FrameResult("a", 0, time_s, *size, tuple(infants), None, adults, boxes)


def picture(size=SIZE, mode="RGB") -> Image.Image:
    y, x = np.mgrid[: size[1], : size[0]]
    return Image.fromarray(np.uint8(((x // 2 + y // 2) % 2) * 255)).convert(mode)


def hidden(image: Image.Image) -> np.ndarray:
    """Where nothing of the 2-pixel pattern is left."""
    values = np.asarray(image.convert("L")).astype(float)
    return np.abs(values - 127) < 60


def shown(result: FrameResult, blur: FaceBlur | None = None) -> np.ndarray:
    return hidden((blur or FaceBlur(INFANT))(picture((result.width, result.height)), result))


def share(mask: np.ndarray, box) -> float:
    x1, y1, x2, y2 = (int(v) for v in box)
    return float(mask[y1:y2, x1:x2].mean())


OTHER = [200.0, 30, 300, 200]


def test_a_sure_head_is_blurred_and_nothing_else():
    original = picture()
    mask = shown(frame(infant(), suspected=[BOX]))
    assert share(mask, [55, 25, 105, 75]) == 1
    assert share(mask, [150, 0, 320, 240]) == 0 and share(mask, [20, 120, 140, 220]) == 0
    FaceBlur(INFANT)(original, frame(infant()))
    assert np.array_equal(np.asarray(original), np.asarray(picture()))


@pytest.mark.parametrize("seed", range(40))
def test_the_circle_holds_the_head_from_any_side_by_any_four_joints(seed):
    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    someone = infant(turn=turn)
    names = rng.permutation(list(HEAD))[: rng.integers(4, 8)]
    scores = np.zeros(JOINTS)
    scores[INFANT.indices(list(names))] = 0.9
    (area,) = head_areas(replace(someone, keypoint_scores=scores), INFANT)
    forehead, chin = (0.0, -0.45, 0.3), (0.0, -0.42, -0.45)
    face = np.array([*HEAD.values(), forehead, chin]) @ turn.T
    middle = (area.box_xyxy[:2] + area.box_xyxy[2:]) / 2
    apart = np.linalg.norm(CROWN + HEAD_PX * face[:, [0, 2]] * [1, -1] - middle, axis=1)
    assert area.round and apart.max() <= area.radius < 0.8 * HEAD_PX


def test_few_joints_hide_the_box_and_other_skeletons_do_their_best():
    scores = np.zeros(JOINTS)
    scores[INFANT.indices(["nose", "left_eye", "right_eye"])] = 0.9
    unsure = infant(keypoint_scores=scores)
    assert share(shown(frame(unsure)), BOX) == 1
    names = [joint for joint in INFANT.joints if joint in COCO_17.joints]
    order = [names.index(joint) for joint in COCO_17.joints]
    rows = np.array(INFANT.indices(names))[order]
    coco = infant()
    coco = replace(
        coco, keypoints_px=coco.keypoints_px[rows], keypoint_scores=coco.keypoint_scores[rows]
    )
    (area,) = head_areas(coco, COCO_17)
    assert area.round


@pytest.mark.parametrize(
    "wrong",
    [
        {"middle": np.array([260.0, 50])},
        {"trunk": ("hip", "shoulder")},
        {"box": np.array([20.0, 20, 140, 1000])},
        {"box": np.array([60.0, 30, 100, 70])},
        {"keypoints_px": np.full((JOINTS, 2), 80.0)},
        {"keypoints_px": 1e30 * np.ones((JOINTS, 2)) * np.arange(JOINTS)[:, None]},
        {"keypoints_px": np.linspace(0, 4000, 2 * JOINTS).reshape(-1, 2)},
    ],
    ids=["outside", "at the hips", "too small", "too large", "in a point", "infinite", "scattered"],
)
def test_an_unlikely_head_hides_the_box(wrong):
    someone = infant(**wrong)
    assert share(shown(frame(someone)), someone.box_xyxy) == 1


@pytest.mark.parametrize("who", ["suspected", "adults"])
def test_everybody_else_is_hidden_whole(who):
    mask = shown(frame(infant(), **{who: [OTHER]}))
    assert share(mask, OTHER) == 1
    assert share(mask, [20, 120, 140, 220]) == 0


def test_a_suspected_box_is_the_infant_s_only_when_they_coincide():
    near = BOX + [10, 10, 10, 10]
    assert share(shown(frame(infant(), suspected=[near])), [40, 120, 140, 220]) == 0
    far = BOX + [50, 0, 50, 0]
    assert SAME_IOU > 70 / 170
    assert share(shown(frame(infant(), suspected=[far])), far) == 1
    assert share(shown(frame(infant(), adults=[near])), near) == 1
    unsure = infant(keypoint_scores=np.zeros(JOINTS))
    assert share(shown(frame(unsure, suspected=[near])), near) == 1


def test_a_twin_beyond_the_limit_or_the_threshold_is_hidden():
    twin = [60.0, 20, 180, 220]
    mask = shown(frame(infant(), suspected=[BOX, twin]))
    assert share(mask, twin) == 1


def test_nobody_or_nonsense_hides_everything():
    for result in (
        frame(suspected=[OTHER]),
        frame(infant(box=np.full(4, np.nan))),
        frame(infant(), suspected=[[np.nan, 0, 1, 1]]),
        frame(infant(), suspected=[[0, 0, np.inf, 1]]),
    ):
        assert shown(result).all()


def test_unknown_suspicion_still_hides_adults():
    result = replace(frame(infant(), adults=[OTHER]), suspected_xyxy=None)
    assert share(shown(result), OTHER) == 1
    assert share(shown(replace(result, adults=None)), OTHER) == 0


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK"])
def test_pictures_of_any_mode(mode):
    image = picture().convert(mode)
    assert share(hidden(FaceBlur(INFANT)(image, frame(infant()))), [60, 30, 100, 70]) == 1


@pytest.mark.parametrize(
    "box",
    [
        [-50, -50, 5, 5],
        [310, 230, 400, 300],
        [-1e9, -1e9, 1e9, 1e9],
        [100, 100, 100, 100],
        [400, 400, 500, 500],
        [0, 0, 319, 239],
        [50, 50, 40, 40],
        [10.2, 10.7, 11.1, 11.2],
    ],
)
@pytest.mark.parametrize("round_", [False, True])
def test_areas_of_any_size_and_place(box, round_):
    for size in (SIZE, (1, 1), (3, 200)):
        result = blurred(Image.new("RGB", size, (9, 9, 9)), [Area(np.array(box, float), round_)])
        assert result.size == size and np.all(np.asarray(result) == 9)


@pytest.mark.parametrize("side", [6, 60, 600])
def test_the_blur_is_as_strong_as_the_area_is_large(side):
    """Of a pattern of eight cells across, which is what tells faces, nothing is left."""
    cells = np.indices((8, 8)).sum(axis=0) % 2
    image = Image.fromarray(np.uint8(255 * cells)).resize((side, side), Image.Resampling.NEAREST)
    for round_ in (False, True):
        area = Area(np.array([0.0, 0, side, side]), round_)
        values = np.asarray(blurred(image, [area]).convert("L")).astype(float)
        middle = values[3 * side // 8 : 5 * side // 8, 3 * side // 8 : 5 * side // 8]
        assert np.ptp(middle) < 40


def neighbour() -> InfantPose:
    return infant(np.array([200.0, 20, 310, 220]), np.array([250.0, 50]), track=2)


def after(*seen: FrameResult) -> FaceBlur:
    blur = FaceBlur(INFANT)
    for result in seen:
        shown(result, blur)
    return blur


HEAD_BOX = [60, 30, 100, 70]


@pytest.mark.parametrize(("gap_s", "covered"), [(0.1, True), (1.9, True), (2.1, False)])
def test_an_infant_s_head_stays_hidden_through_a_gap(gap_s, covered):
    here, there = infant(), neighbour()
    blur = after(frame(here, there))
    mask = shown(frame(there, time_s=gap_s), blur)
    assert share(mask, HEAD_BOX) == (1 if covered else 0)
    if covered:
        assert mask[:, :160].sum() > shown(frame(here))[:, :160].sum()


def test_a_head_seen_again_is_hidden_where_it_is():
    moved = infant(middle=CROWN + [10, 20])
    blur = after(frame(infant()), frame(neighbour(), time_s=1))
    alone = shown(frame(moved, time_s=1.5))
    again = shown(frame(moved, time_s=1.5), blur)
    assert np.array_equal(again[:, :150], alone[:, :150])


@pytest.mark.parametrize(("gap_s", "covered"), [(0.2, True), (0.9, True), (1.1, False)])
def test_a_suspected_one_stays_hidden_for_a_while(gap_s, covered):
    blur = after(frame(infant(), suspected=[OTHER]))
    mask = shown(frame(infant(), time_s=gap_s), blur)
    assert share(mask, OTHER) == (1 if covered else 0)


def test_a_suspected_one_who_moves_leaves_no_trail():
    moved = np.array(OTHER) + [15, 0, 15, 0]
    blur = after(frame(infant(), suspected=[OTHER]))
    mask = shown(frame(infant(), suspected=[moved], time_s=0.1), blur)
    assert np.array_equal(mask, shown(frame(infant(), suspected=[moved])))


def test_what_was_suspected_and_is_now_a_sure_infant_is_seen():
    late = neighbour()
    blur = after(frame(infant(), suspected=[late.box_xyxy]))
    mask = shown(frame(infant(), late, time_s=0.1), blur)
    assert share(mask, [200, 120, 310, 220]) == 0


def test_frames_of_another_size_keep_the_places():
    blur = after(frame(infant(), neighbour(), suspected=[[150, 150, 190, 230]]))
    double = frame(replace(infant(), track_id=3), time_s=0.1, size=(640, 480))
    mask = shown(double, blur)
    assert share(mask, [300, 300, 380, 460]) == 1 and share(mask, [460, 60, 540, 140]) == 1


def test_an_overlay_remembers_and_draws_over_the_blur(tmp_path):
    path, still = tmp_path / "v.mp4", np.asarray(picture())
    with open_overlay(path, INFANT, OverlayStyle(blur_face=True, max_gap_s=0.5)) as overlay:
        for time_s, people in (
            (0.0, [neighbour(), infant()]),
            (0.4, [infant()]),
            (0.6, [infant()]),
        ):
            image = Image.fromarray(still)
            overlay.write(Frame("v", 0, time_s, image), frame(*people, time_s=time_s))
        overlay.write(Frame("v", 3, 0.7, None, "damaged"), frame(time_s=0.7))
    masks = [hidden(read.image) for read in iter_frames(path)]
    assert [share(mask, [240, 40, 260, 60]) > 0.3 for mask in masks] == [True, True, False]
