"""A weight set is what the runs made, indexed by sha256, without anybody's folders in it."""

from __future__ import annotations

import shutil

import yaml

from Engine.provenance import file_sha256
from PoseEstimation.config import load_config
from PoseEstimation.export.weight_set import main
from PoseEstimation.inference.weights import check_weights


def test_a_collected_set_passes_its_own_check(tiny_weights, tmp_path):
    runs = {}
    for part in ("detector", "heatmap", "lifter"):
        runs[part] = tmp_path / part
        runs[part].mkdir()
        name = f"{part}.safetensors"
        (runs[part] / name).write_bytes((tiny_weights / "tiny" / name).read_bytes())
        (runs[part] / "settings.yaml").write_text("train: [{root: /data/mine/a}]\nseed: 3\n")
    folder = tmp_path / "models" / "mine"
    arguments = [f"--{part}={run}" for part, run in runs.items()]
    assert main([*arguments, f"--output={folder}", "--data=generated infants"]) == 0
    assert check_weights(folder)["lifter.safetensors"] == file_sha256(folder / "lifter.safetensors")
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert settings["clip_lifting"] == {"train": [{"root": "a"}], "seed": 3}
    assert "rescoring" not in settings
    index = yaml.safe_load((folder.parent / "index.yaml").read_text())
    assert index["mine"]["data"] == "generated infants"


def test_a_detector_with_rescoring_replaces_the_detectors_own_run(tiny_weights, tmp_path):
    whole, rescored = tiny_weights / "tiny", tmp_path / "rescored"
    rescored.mkdir()
    (rescored / "detector.safetensors").write_bytes((whole / "heatmap.safetensors").read_bytes())
    (rescored / "settings.yaml").write_text("seed: 4\n")
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "settings.yaml").write_text("seed: 3\n")
    arguments = [f"--{part}={run}" for part in ("detector", "heatmap", "lifter")]
    arguments += [f"--rescoring={rescored}", f"--output={tmp_path / 'set'}", "--data=x"]
    assert main(arguments) == 0
    made = file_sha256(tmp_path / "set" / "detector.safetensors")
    assert made == file_sha256(rescored / "detector.safetensors")
    settings = yaml.safe_load((tmp_path / "set" / "config.yaml").read_text())
    assert [settings[key]["seed"] for key in ("detector", "rescoring")] == [3, 4]


def test_the_shipped_settings_are_read_and_their_data_named_in_the_card():
    folder = load_config().paths.saved_models / "infant-synthetic"
    settings = load_config(folder / "config.yaml", ())
    card = (folder / "MODEL_CARD.md").read_text()
    for recipe in (settings.detector, settings.heatmap):
        named = [source.root.name for source in (*recipe.train, recipe.validation)]
        assert named and all(root in card for root in named)
    assert settings.clip_lifting.movement_banks[0].name in card


def test_a_run_without_weights_is_refused(tmp_path, capsys):
    arguments = [f"--{part}={tmp_path}" for part in ("detector", "heatmap", "lifter")]
    assert main([*arguments, f"--output={tmp_path / 'set'}", "--data=x"]) == 2
    assert "trained weights" in capsys.readouterr().err


def test_a_set_for_research_must_say_its_terms(tiny_weights, tmp_path, capsys):
    runs = tiny_weights / "tiny"
    arguments = [f"--{part}={runs}" for part in ("detector", "heatmap", "lifter")]
    assert main([*arguments, f"--output={tmp_path / 'mine-research'}", "--data=x"]) == 2
    assert "--licence" in capsys.readouterr().err
    assert not (tmp_path / "mine-research").exists()
