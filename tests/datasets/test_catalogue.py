"""Verification reports every fault at once; rendering writes readable pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from Datasets.catalogue import verify_dataset
from Datasets.rendering import render_dataset
from Datasets.verify.mini_rgbd import OFFICIAL_SEQUENCES
from Engine.errors import DataError
from PoseEstimation.cli import main


def test_a_generated_folder_is_fine_and_a_stranger_is_not(root: Path) -> None:
    report = verify_dataset("mini_rgbd", root)
    assert not report.ok and "03, 04" in report.problems[0]
    (root / "generator.json").write_text("{}")
    report = verify_dataset("mini_rgbd", root)
    assert report.ok and str(report).endswith("OK") and "NOT" not in str(report)
    assert "frames: 5 (official 12000)" in report.counts
    assert any("not the official infant" in note for note in report.notes)


def test_all_faults_are_found_in_one_pass(root: Path) -> None:
    (root / "generator.json").write_text("{}")
    (root / "01/joints_3D/syn_joints_3D_00000.txt").unlink()
    (root / "01/depth/syn_00001_depth.png").unlink()
    png = root / "02/rgb/syn_00000.png"
    png.write_bytes(png.read_bytes()[:3000])
    (root / "02/fg_mask/mask_00001.png").write_text("no")
    short = root / "01/joints_2Ddep/syn_joints_2Ddep_00002.txt"
    short.write_text("\n".join(short.read_text().splitlines()[:24]))
    moved = root / "02/joints_2Ddep/syn_joints_2Ddep_00001.txt"
    rows = [line.split() for line in moved.read_text().splitlines()]
    moved.write_text("\n".join(f"{float(x) + 9} {y} {z} {i}" for x, y, z, i in rows))
    report = verify_dataset("mini_rgbd", root)
    assert [path.name for path in report.missing] == [
        "syn_joints_3D_00000.txt",
        "syn_00001_depth.png",
    ]
    text = str(report)
    for expected in (
        "syn_00000.png is truncated",
        "mask_00001.png is not a PNG",
        "24 rows",
        "9.00 px from",
    ):
        assert expected in text
    assert len(report.problems) == 4 and not report.ok


def test_first_ten_missing_files_and_their_number(root: Path) -> None:
    (root / "generator.json").write_text("{}")
    for frame in range(3):
        source = root / f"01/rgb/syn_{frame:05d}.png"
        for copy in range(3 * frame + 3, 3 * frame + 6):
            (root / f"01/rgb/syn_{copy:05d}.png").write_bytes(source.read_bytes())
    report = verify_dataset("mini_rgbd", root)
    assert len(report.missing) == 9 * 4
    listed = [line for line in str(report).splitlines() if line.startswith("    /")]
    assert len(listed) == 10 and "... and 26 more" in str(report)


def test_skipped_frames_and_the_official_count(root: Path) -> None:
    for kind in ("rgb", "depth", "fg_mask", "joints_2Ddep", "joints_3D"):
        for path in (root / "01" / kind).glob("*00001*"):
            path.unlink()
    for name in OFFICIAL_SEQUENCES[2:]:
        (root / name).mkdir()
    report = verify_dataset("mini_rgbd", root)
    assert report.problems[0] == "4 frames, the official set has 12000"
    text = "\n".join(report.problems)
    assert "1 frame numbers skipped, first 00001" in text and "12 holds no frame" in text


def test_render(shared_root: Path, tmp_path: Path) -> None:
    files = render_dataset("mini_rgbd", shared_root, "1-2", tmp_path / "out", samples=3)
    assert [path.name for path in files] == ["mini_rgbd_samples.jpg", "mini_rgbd_3d.png"]
    for path in files:
        with Image.open(path) as picture:
            assert min(picture.size) > 300
            assert len(picture.convert("RGB").getcolors(maxcolors=10**7)) > 200
    with pytest.raises(DataError, match="11"):
        render_dataset("mini_rgbd", shared_root, "test", tmp_path)


def test_command_line(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", "mini_rgbd", "--root", str(root)]) == 2
    assert "NOT OK" in capsys.readouterr().out
    assert main(["render", "mini_rgbd", "--root", str(root), "--output", str(tmp_path / "o")]) == 0
    assert "mini_rgbd_3d.png" in capsys.readouterr().out
    assert main(["render", "mini_rgbd", "--root", str(tmp_path / "none")]) == 2
    assert main(["verify", "coco", "--root", str(root)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and all(line.startswith("infantpose: error: ") for line in errors)
