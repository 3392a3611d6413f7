"""Profile slp: one pose under three covers, three sensors on one bed, warmth that fades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from Datasets.layouts.slp import CELSIUS, COVERS
from Datasets.readers.images import load_image
from Datasets.readers.slp import open_slp
from Datasets.synthetic.profiles.slp import POSTURES, generate_slp
from Datasets.verify.slp import verify_slp


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("slp")
    generate_slp(output, subjects=1, frames=3, seed=5)
    return output


def pictures(root: Path, modality: str) -> dict[tuple[str, int], np.ndarray]:
    data = open_slp(root, f"all:{modality}")
    return {(s.activity, s.frame): np.asarray(load_image(s.image_path)) for s in data.samples}


def test_it_is_the_official_layout(root: Path) -> None:
    report = verify_slp(root)
    assert report.ok, str(report)
    assert "images: 27" in report.counts
    apart = next(line for line in report.counts if "apart" in line)
    assert float(apart.split("most ")[1].split(" px")[0]) < 6


def test_labels_do_not_depend_on_the_cover(root: Path) -> None:
    data = open_slp(root)
    for frame in (1, 2, 3):
        same = [s for s in data.samples if s.frame == frame]
        assert [s.activity for s in same] == list(COVERS)
        for sample in same[1:]:
            np.testing.assert_array_equal(sample.keypoints_px, same[0].keypoints_px)


def test_covers_are_nearer_and_colder(root: Path) -> None:
    heat = pictures(root, "IR")
    low, high = CELSIUS
    for frame in (1, 2, 3):
        celsius = {c: heat[c, frame][..., 0] / 255 * (high - low) + low for c in COVERS}
        body = celsius["uncover"] > 28
        assert body.mean() > 0.03 and celsius["uncover"].max() < 38
        means = [celsius[cover][body].mean() for cover in COVERS]
        assert means[0] > means[1] + 0.5 > means[2] + 0.5
        folder = root / "danaLab/00001/depthRaw"
        depth = {c: np.load(folder / c / f"{frame:06d}.npy").astype(float) for c in COVERS}
        for cover in list(COVERS)[1:]:
            changed = np.abs(depth[cover] - depth["uncover"]) > 15
            assert changed.mean() > 0.05
            assert (depth[cover] - depth["uncover"])[changed].mean() < 0


def test_the_same_bytes_for_any_number_of_workers(root: Path, tmp_path: Path) -> None:
    generate_slp(tmp_path, subjects=1, frames=3, seed=5, workers=2)
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for name in files:
        assert (root / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_thirds_lie_on_back_left_and_right(root: Path) -> None:
    """Left of the body is nearer to the mattress when it lies on the left: hidden more often."""
    assert POSTURES == ("supine", "left", "right")
    samples = open_slp(root, "all:RGB:uncover").samples
    spread = [np.ptp(s.keypoints_px[[8, 9], 0]) for s in samples]
    assert spread[0] > spread[1] and spread[0] > spread[2], "shoulders are widest on the back"
