"""Every other command, on a stand-in for the generator: what it writes and says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.readers.video import iter_frames
from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.skeletons.convert import joint_map
from Datasets.writers.mini_rgbd import write_frame, write_head_length, write_infant_joints
from PoseEstimation.cli import main
from PoseEstimation.commands.demo import SEQUENCES
from PoseEstimation.commands.synth import sequence_names


def draw(generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """One frame, a bright square for an infant: image, mask, infant and official joints in mm."""
    rgb = generator.integers(0, 90, (480, 640, 3), dtype=np.uint8)
    mask = np.zeros((480, 640), bool)
    mask[140:340, 220:420] = True
    rgb[mask] += 120
    infant_mm = generator.uniform((-150, -150, 950), (150, 150, 1050), (25, 3))
    official = joint_map(INFANT, MINI_RGBD_25).apply(infant_mm)
    return rgb, mask, infant_mm, np.where(np.isnan(official), infant_mm[17], official)


def generate(profile, output, sequences, frames, *_, progress=None, **options):
    """Stands in for the generator: the same layout in no time."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "generator.json").write_text("{}")
    for sequence in sequences:
        generator = np.random.default_rng(int(sequence))
        folder, joints = output / sequence, []
        for frame in range(frames):
            rgb, mask, infant_mm, official_mm = draw(generator)
            depth = np.full(mask.shape, 1000, np.uint16)
            pixels = project(official_mm, INTRINSICS)
            write_frame(folder, frame, rgb, depth, mask, pixels, official_mm)
            joints.append(infant_mm)
        joints = np.stack(joints)
        seen = np.full(joints.shape[:2], 2, np.uint8)
        write_infant_joints(folder, np.arange(frames), project(joints, INTRINSICS), joints, seen)
        write_head_length(folder, 30.0, 70.0)
        if progress is not None:
            progress(frames, frames * len(sequences))


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr("Datasets.synthetic.profiles.mini_rgbd.generate", generate)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "mini"
    generate("mini_rgbd", root, ("11", "12"), 3)
    return root


def metrics_of(output: Path) -> dict:
    return json.loads((output / "metrics.json").read_text(), parse_constant=pytest.fail)


def test_demo_writes_everything_it_promises(tmp_path, capsys, config):
    output = tmp_path / "demo"
    arguments = ["demo", "--output", str(output), "--config", str(config), "--frames"]
    assert main([*arguments, "5"]) == 0
    assert main([*arguments, "3"]) == 0
    metrics = metrics_of(output)
    assert metrics["schema"] == "infantpose-metrics/1"
    assert metrics["data"]["frames"] == 3 * len(SEQUENCES) and metrics["data"]["real"] is False
    assert len(list(iter_frames(output / "overlays" / f"infant_{SEQUENCES[0]}.mp4"))) == 3
    assert Image.open(output / "figure_3d.png").height >= 900
    poses = json.loads((output / "poses.json").read_text())
    assert poses["assumptions"]["field_of_view_source"] == "given intrinsics"
    printed = capsys.readouterr().out
    for expected in ("Ellershaw", "28.47", "figure_3d.png", "metrics.json", "not a medical device"):
        assert expected in printed


@pytest.mark.parametrize("options", [["--input", "gt2d"], ["--boxes", "true", "--every", "2"]])
def test_evaluate_writes_metrics_and_table(tmp_path, config, data, options):
    common = ["evaluate", "mini_rgbd", "--root", str(data), "--config", str(config)]
    assert main([*common, "--split", "11", "--output", str(tmp_path / "out"), *options]) == 0
    metrics = metrics_of(tmp_path / "out")
    assert metrics["data"]["sequences"] == ["11"]
    assert metrics["weights"]["name"] == "tiny" and metrics["command"].startswith("infantpose")
    assert (tmp_path / "out" / "table.md").is_file()


def test_verify_and_render(tmp_path, capsys, data):
    assert main(["verify", "mini_rgbd", "--root", str(data)]) == 0
    assert "OK" in capsys.readouterr().out
    output = tmp_path / "pictures"
    assert main(["render", "mini_rgbd", "--root", str(data), "--output", str(output)]) == 0
    files = capsys.readouterr().out.split()
    assert files and all(Path(file).is_file() for file in files)


def test_synth_counts_or_names_sequences_and_never_mixes(tmp_path, capsys):
    assert sequence_names("3") == ("01", "02", "03")
    assert sequence_names("9-10,12") == ("09", "10", "12")
    arguments = ["synth", "--frames", "2", "--output", str(tmp_path), "--sequences"]
    assert main([*arguments, "2"]) == 0
    assert "4 frames in 2 sequences" in capsys.readouterr().out
    assert main([*arguments, "2-3"]) == 2
    assert "02 exists" in capsys.readouterr().err
    assert not (tmp_path / "03").exists()


def test_train_uses_the_recipe_and_its_overrides(tmp_path, capsys, data):
    source = {"dataset": "mini_rgbd", "root": str(data)}
    sections = {"lifting": {"train": [source], "validation": source}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(sections))
    small = ["lifting.network.width=8", "lifting.batch_size=2", "lifting.trainer.max_epochs=1"]
    output = tmp_path / "run"
    code = main(
        ["train", "lifting", *small, "--config", str(tmp_path / "c.yaml"), "--output", str(output)]
    )
    assert code == 0 and (output / "lifter.safetensors").is_file()
    assert "max_epochs" in capsys.readouterr().out


@pytest.mark.parametrize("recipe", ["detector", "heatmap", "lifting"])
def test_train_without_data_is_one_line(tmp_path, capsys, recipe):
    (tmp_path / "c.yaml").write_text("weights: tiny\n")
    code = main(
        ["train", recipe, "--config", str(tmp_path / "c.yaml"), "--output", str(tmp_path / "run")]
    )
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1, error


def test_synth_hands_every_profile_what_was_asked(tmp_path, capsys, monkeypatch):
    asked = {}

    def pictures(profile, output, count, seed, workers, progress):
        (output / "images").mkdir(parents=True, exist_ok=True)
        (output / "annotations").mkdir(exist_ok=True)
        asked[profile.name] = (count, seed)

    def subjects(name):
        def generate(output, count, frames, seed, workers, progress, **options):
            asked[name] = (count, frames, seed, *options.values())

        return generate

    root = "Datasets.synthetic.profiles"
    monkeypatch.setattr(f"{root}.generation.generate_pictures", pictures)
    for name in ("slp", "mpi_inf_3dhp"):
        monkeypatch.setattr(f"{root}.{name}.generate_{name}", subjects(name))
    for name in ("mpii", "coco", "lsp"):
        arguments = ["synth", "--profile", name, "--output", str(tmp_path / name)]
        assert main([*arguments, "--frames", "7", "--seed", "3"]) == 0
        assert asked[name] == (7, 3) and "7 pictures" in capsys.readouterr().out
        assert main(arguments) == 2 and "exists" in capsys.readouterr().err
    for name in ("syrip", "scenes"):
        arguments = ["synth", "--profile", name, "--output", str(tmp_path / name)]
        assert main([*arguments, "--frames", "9", "--seed", "4"]) == 0
        assert asked[name] == (9, 4) and main(arguments) == 2
    capsys.readouterr()
    for name, given in (("slp", (10, 45, None)), ("mpi_inf_3dhp", (8, 100, None, 512, "vnect"))):
        assert main(["synth", "--profile", name, "--output", str(tmp_path / name)]) == 0
        assert asked[name] == given
    assert main(["synth", "--profile", "none", "--output", str(tmp_path)]) == 2
    assert "mpi_inf_3dhp" in capsys.readouterr().err
