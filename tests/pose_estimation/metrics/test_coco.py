"""AP by OKS: equal to pycocotools and to the definition written out, and its traps."""

import contextlib
import copy
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from Datasets.skeletons import COCO_17, INFANT
from PoseEstimation.metrics.protocols import CocoProtocol, object_keypoint_similarity
from PoseEstimation.metrics.protocols.coco import KEYS

SIGMAS = np.array(COCO_17.sigmas)
CATEGORIES = [{"id": 1, "name": "person"}]
SEEDS = range(16)


def score(truth, results):
    return CocoProtocol().score(truth, results)


def person(number, image=1, area=5000.0, at=(100.0, 100.0), **different):
    """An annotation with 17 labelled joints on a slanted line."""
    points = np.array(at) + np.linspace(0, 80, 17)[:, None] * [1.0, 0.5]
    keypoints = np.column_stack([points, np.full(17, 2.0)]).ravel().tolist()
    annotation = {
        **{"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "area": area},
        **{"bbox": [*at, 80.0, 40.0], "keypoints": keypoints, "num_keypoints": 17},
    }
    return {**annotation, **different}


def truth_of(*annotations, images=1):
    ids = [{"id": i} for i in range(1, images + 1)]
    return {"images": ids, "annotations": list(annotations), "categories": CATEGORIES}


def result_of(annotation, score=0.9, shift=(0.0, 0.0)):
    points = np.array(annotation["keypoints"]).reshape(-1, 3) + [*shift, 0]
    return {
        **{"image_id": annotation["image_id"], "category_id": 1, "score": score},
        "keypoints": points.ravel().tolist(),
    }


def unlabelled(annotation, joints):
    """The same person without some of its joints."""
    keypoints = np.array(annotation["keypoints"]).reshape(-1, 3)
    keypoints[joints] = 0
    left = int((keypoints[:, 2] > 0).sum())
    return {**annotation, "keypoints": keypoints.ravel().tolist(), "num_keypoints": left}


def perturbed(truth, generator):
    """Results around every annotation: near and far, doubled, tied in score, and invented."""
    results = []
    for annotation in truth["annotations"]:
        spread = np.sqrt(annotation["area"]) * generator.choice([0.0, 0.03, 0.1, 0.3])
        for _ in range(generator.choice([0, 1, 1, 1, 2])):
            points = np.array(annotation["keypoints"], dtype=float).reshape(-1, 3)
            if not points.any():  # crowds and people without labels: somewhere in their box
                x, y, w, h = annotation["bbox"]
                points[:, :2] = generator.uniform([x, y], [x + w, y + h], (17, 2))
            points[:, :2] += generator.normal(0, spread, (17, 2))
            points[:, 2] = 1
            number = float(generator.integers(1, 8)) / 8
            entry = {"image_id": annotation["image_id"], "category_id": 1, "score": number}
            results.append({**entry, "keypoints": points.ravel().tolist()})
    generator.shuffle(results)
    return results


def generated(seed):
    """A few images: people of all sizes, alike and overlapping, crowds, unlabelled ones, ties."""
    generator = np.random.default_rng(seed)
    annotations = []
    for image in range(1, 8):
        for _ in range(generator.integers(0, 6)):
            area = float(np.exp(generator.uniform(np.log(200), np.log(40000))))
            at = tuple(generator.uniform(0, 150, 2).tolist())
            one = person(len(annotations) + 1, image, area, at)
            one = unlabelled(one, generator.uniform(size=17) < generator.choice([0, 0.3, 0.8, 1]))
            crowd = int(generator.uniform() < 0.15)
            if crowd:
                one = unlabelled(one, slice(None)) | {"iscrowd": 1, "bbox": [*at, 150.0, 90.0]}
            annotations.append(one)
    truth = truth_of(*annotations, images=8)
    results = perturbed(truth, generator)
    if seed % 4 == 0:  # more results in one image than the 20 that count
        results += [r | {"image_id": 1, "score": r["score"] / 2} for r in results[:20] * 2]
    if seed % 4 == 1:  # results with a box of their own, whose area decides what may be ignored
        boxes = generator.uniform(5, 200, (len(results), 4)).tolist()
        results = [r | {"bbox": box} for r, box in zip(results, boxes, strict=True)]
    return truth, results


def pycocotools_says(truth, results):
    """AP, AP50, AP75, AP medium, AP large and AR in percent; absent where it says -1."""
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is in the dev extra")
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        people = coco.COCO()
        people.dataset = copy.deepcopy(truth)
        people.createIndex()
        evaluation = COCOeval(people, people.loadRes(copy.deepcopy(results)), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = zip(KEYS, evaluation.stats[:6], strict=True)
    return {key: 100 * value for key, value in stats if value >= 0}


def oks_written_out(result, annotation):
    """Similarity of a pair; to somebody without labelled joints, how near the joints are."""
    p = np.array(result["keypoints"]).reshape(-1, 3)[:, :2]
    g = np.array(annotation["keypoints"]).reshape(-1, 3)
    labelled = g[:, 2] > 0
    gap = p - g[:, :2]
    if not labelled.any():
        x, y, w, h = annotation["bbox"]
        low, high = np.array([x - w, y - h]), np.array([x + 2 * w, y + 2 * h])
        gap, labelled = np.maximum(low - p, 0) + np.maximum(p - high, 0), np.ones(17, bool)
    similarity = np.exp(-(gap**2).sum(1) / (2 * annotation["area"] * (2 * SIGMAS) ** 2))
    return similarity[labelled].mean()


def matches(truth, results, threshold, low, high):
    """Rows (score, hit, ignored) of all images and the number of people to find."""
    rows, people = [], 0
    for image in sorted(i["id"] for i in truth["images"]):  # equal scores: the lower id first
        here = [a for a in truth["annotations"] if a["image_id"] == image]
        out = [a["iscrowd"] or not a["num_keypoints"] or not low <= a["area"] <= high for a in here]
        people += len(here) - sum(map(bool, out))
        best = sorted((r for r in results if r["image_id"] == image), key=lambda r: -r["score"])
        taken = set()
        for result in best[:20]:
            chosen = None
            for wanted in (False, True):  # somebody to find comes before somebody to ignore
                least = threshold
                for i, annotation in enumerate(here):
                    free = i not in taken or annotation["iscrowd"]
                    if bool(out[i]) == wanted and free:
                        similarity = oks_written_out(result, annotation)
                        if similarity >= least:
                            chosen, least = i, similarity
                if chosen is not None:
                    break
            taken.add(chosen)
            width, height = np.ptp(np.array(result["keypoints"]).reshape(-1, 3)[:, :2], axis=0)
            area = np.prod(result.get("bbox", [0, 0, width, height])[2:])
            ignored = out[chosen] if chosen is not None else not low <= area <= high
            rows.append((result["score"], chosen is not None, bool(ignored)))
    return rows, people


def average_precision_written_out(truth, results, low=0.0, high=1e10, thresholds=None):
    """AP and AR in percent: precision at 101 recalls, averaged over the thresholds."""
    precisions, recalls = [], []
    for threshold in np.linspace(0.5, 0.95, 10) if thresholds is None else thresholds:
        rows, people = matches(truth, results, threshold, low, high)
        if people == 0:
            return None
        hits = [hit for _, hit, ignored in sorted(rows, key=lambda r: -r[0]) if not ignored]
        found = np.cumsum(hits)
        recall, precision = found / people, found / np.arange(1, len(hits) + 1)
        recalls.append(recall[-1] if len(hits) else 0.0)
        for wanted in np.linspace(0, 1, 101):
            beyond = precision[recall >= wanted]
            precisions.append(beyond.max() if len(beyond) else 0.0)
    return 100 * np.mean(precisions), 100 * np.mean(recalls)


@pytest.mark.parametrize("seed", SEEDS)
def test_equals_pycocotools_on_generated_people(seed):
    truth, results = generated(seed)
    expected = pycocotools_says(truth, results)
    assert len(expected) == len(KEYS)
    assert score(truth, results).clean == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_definition_written_out(seed):
    truth, results = generated(seed)
    clean = score(truth, results).clean
    ap, ar = average_precision_written_out(truth, results)
    assert (clean["ap"], clean["ar"]) == pytest.approx((ap, ar), abs=1e-6)
    for key, options in {
        "ap50": {"thresholds": [0.5]},
        "ap75": {"thresholds": [0.75]},
        "ap_medium": {"low": 32**2, "high": 96**2},
        "ap_large": {"low": 96**2},
    }.items():
        expected = average_precision_written_out(truth, results, **options)[0]
        assert clean[key] == pytest.approx(expected, abs=1e-6), key


@pytest.mark.parametrize("part", ["train2017", "val2017"])
def test_equals_pycocotools_on_real_annotations(part):
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    if not root:
        pytest.skip("INFANTPOSE_REAL_DATA is not set: no real annotations here")
    path = Path(root) / "coco_mini" / "annotations" / f"person_keypoints_{part}.json"
    if not path.exists():
        pytest.skip(f"no {path}")
    truth = json.loads(path.read_text())
    results = perturbed(truth, np.random.default_rng(5))
    result = score(truth, results)
    assert result.clean == pytest.approx(pycocotools_says(truth, results), abs=1e-6)
    ap, ar = average_precision_written_out(truth, results)
    assert (result.clean["ap"], result.clean["ar"]) == pytest.approx((ap, ar), abs=1e-6)
    assert 10 < ap < 90
    labelled = [a for a in truth["annotations"] if a["num_keypoints"] and not a["iscrowd"]]
    assert result.counts["people"] == len(labelled)


def test_oks_of_cases_made_by_hand():
    """At a distance of 2 sigma sqrt(area) each joint contributes exp(-1/2)."""
    target = np.full((1, 17, 2), 50.0)
    target[0, 10:] = np.nan
    area = np.array([400.0])
    predicted = target + np.outer(2 * SIGMAS * 20, [0, 1.0])
    assert object_keypoint_similarity(predicted, target, area) == pytest.approx(np.exp(-0.5))
    assert object_keypoint_similarity(target, target, area) == [1.0]
    predicted[0, :5] = np.nan
    expected = np.exp(-0.5) * 5 / 10
    assert object_keypoint_similarity(predicted, target, area) == pytest.approx(expected)
    assert np.isnan(object_keypoint_similarity(target, target * np.nan, area)).all()
    wide = np.zeros((1, len(INFANT), 2))
    assert object_keypoint_similarity(wide, wide, area, INFANT) == [1.0]


def test_oks_equals_the_definition_and_decides_at_the_threshold():
    truth, results = generated(2)
    labelled = [a for a in truth["annotations"] if a["num_keypoints"]]
    pairs = [(r, a) for r in results[:8] for a in labelled[:8]]
    predicted = np.array([r["keypoints"] for r, _ in pairs]).reshape(-1, 17, 3)[..., :2]
    target = np.array([a["keypoints"] for _, a in pairs]).reshape(-1, 17, 3)
    area = np.array([a["area"] for _, a in pairs])
    points = np.where(target[..., 2:] > 0, target[..., :2], np.nan)
    expected = [oks_written_out(*pair) for pair in pairs]
    ours = object_keypoint_similarity(predicted, points, area)
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-300)
    one = person(1)
    for shift, hit in ((9.0, 100), (11.0, 0)):
        moved = result_of(one, shift=(shift, 0))
        both = (np.array(x["keypoints"]).reshape(1, 17, 3)[..., :2] for x in (moved, one))
        similar = object_keypoint_similarity(*both, np.array([one["area"]]))[0]
        assert (similar > 0.5) == bool(hit), similar
        assert score(truth_of(one), [moved]).clean["ap50"] == hit


def test_somebody_in_an_image_without_results_is_missed():
    truth = truth_of(person(1), person(2, image=2), images=2)
    result = score(truth, [result_of(truth["annotations"][0])])
    assert result.clean["ar"] == 50
    assert result.clean["ap"] == pytest.approx(100 * 51 / 101)
    assert (result.counts["images"], result.counts["people"], result.counts["results"]) == (2, 2, 1)


def test_crowds_and_people_without_labels_are_neither_right_nor_wrong():
    crowd = unlabelled(person(2, at=(400.0, 400.0)), slice(None)) | {"iscrowd": 1}
    bare = unlabelled(person(3, at=(700.0, 100.0)), slice(None))
    truth = truth_of(person(1), crowd, bare)
    there = [result_of(person(9, at=at), score=0.95) for at in ((410.0, 410.0), (690.0, 90.0))]
    result = score(truth, [result_of(person(1)), *there, there[0]])
    assert result.clean["ap"] == result.clean["ar"] == 100
    assert (result.counts["people"], result.counts["people_ignored"]) == (1, 2)
    elsewhere = [result_of(person(9, at=(2000.0, 900.0)), score=0.95)]
    assert score(truth, [result_of(person(1)), *elsewhere]).clean["ap"] == 50


def test_a_missing_joint_misses_and_never_matches():
    """The trap: an OKS of NaN is not below any threshold, so that it would match anybody."""
    truth = truth_of(person(1))
    absent = result_of(person(1))
    absent["keypoints"][0::3] = [float("nan")] * 17
    result = score(truth, [absent])
    assert result.clean["ap"] == result.clean["ar"] == 0
    assert result.counts["joints_without_prediction"] == 17
    half = result_of(person(1))
    half["keypoints"][0:24] = [None] * 24
    clean = score(truth, [half]).clean
    assert clean["ap50"] == 100
    assert clean["ar"] == 10  # 9 joints of 17: OKS .53
    wrong = score(truth, [absent | {"score": 0.95}, result_of(person(1))])
    assert wrong.clean["ap"] == 50


def test_an_annotation_numbered_zero_and_one_without_num_keypoints_count():
    """The traps: to the evaluator 0 means 'nobody', and no count of keypoints means none."""
    zero = person(0)
    bare = person(1, at=(500.0, 100.0))
    del bare["num_keypoints"]
    del bare["iscrowd"]
    truth = truth_of(zero, bare)
    result = score(truth, [result_of(zero), result_of(bare)])
    assert result.clean["ap"] == 100 and result.counts["people"] == 2


def test_only_the_twenty_best_results_of_an_image_count():
    crowd = [result_of(person(9, at=(3000.0, 900.0)), score=0.9) for _ in range(20)]
    result = score(truth_of(person(1)), [*crowd, result_of(person(1), score=0.1)])
    assert result.clean["ar"] == 0 and result.counts["results_left_out"] == 1
    assert score(truth_of(person(1)), [*crowd[1:], result_of(person(1), 0.1)]).clean["ar"] == 100


def test_sizes_are_the_true_areas_and_keys_without_people_are_absent():
    medium = score(truth_of(person(1, area=5000.0)), [result_of(person(1))]).clean
    assert medium == {"ap": 100, "ap50": 100, "ap75": 100, "ap_medium": 100, "ar": 100}
    small = score(truth_of(person(1, area=500.0)), [result_of(person(1))]).clean
    assert set(small) == {"ap", "ap50", "ap75", "ar"}
    assert score(truth_of(), []).clean == {}
    assert score(truth_of(unlabelled(person(1), slice(None))), []).clean == {}
    nothing = score(truth_of(person(1)), []).clean
    assert nothing == {"ap": 0, "ap50": 0, "ap75": 0, "ap_medium": 0, "ar": 0}


def test_mirror_shift_and_order_change_nothing_and_arguments_stay_as_they_are():
    truth, results = generated(2)
    before = copy.deepcopy((truth, results))
    clean = score(truth, results).clean
    assert (truth, results) == before

    def mirrored(entry):
        points = np.array(entry["keypoints"]).reshape(-1, 3)[list(COCO_17.flip_indices)]
        x, y, w, h = entry.get("bbox", [0, 0, 0, 0])
        points[:, 0] = 639 - points[:, 0]
        moved = {"keypoints": points.ravel().tolist(), "bbox": [639 - x - w, y, w, h]}
        return entry | {key: moved[key] for key in moved if key in entry}

    flipped = truth | {"annotations": [mirrored(a) for a in truth["annotations"]]}
    assert score(flipped, [mirrored(r) for r in results]).clean == pytest.approx(clean)
    distinct = [r | {"score": 0.999**i} for i, r in enumerate(results)]
    assert score(truth, distinct[::-1]).clean == score(truth, distinct).clean


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, r: r[0].pop("score"), "result 0 has no 'score'"),
        (lambda t, r: r[0].update(score=float("nan")), "result 0: score is nan"),
        (lambda t, r: r[0]["keypoints"].pop(), "result 0: 50 keypoint values, not 51"),
        (lambda t, r: r[0].update(image_id=7), "result 0: no image 7 in the ground truth"),
        (lambda t, r: t["annotations"][0].pop("area"), "annotation 1 has no 'area'"),
        (lambda t, r: t["annotations"][0]["keypoints"].append(0), "52 keypoint values"),
        (lambda t, r: t["annotations"][0].update(keypoints=[np.nan] * 51), "not a finite"),
        (lambda t, r: t.pop("images"), "the ground truth has no 'images'"),
    ],
)
def test_bad_entries_are_named(change, message):
    truth, results = truth_of(person(1)), [result_of(person(1))]
    change(truth, results)
    with pytest.raises(ValueError, match=message):
        score(truth, results)
