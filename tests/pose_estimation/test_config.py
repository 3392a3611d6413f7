"""config.yaml: complete, commented, typed, and wrong keys named in one line."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from Engine.errors import DataError
from PoseEstimation.config import Config, load_config

SHIPPED = Path(__file__).parents[2] / "config.yaml"


def keys_of(settings: object, prefix: str = "") -> set[str]:
    found = set()
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        name = f"{prefix}{field.name}"
        found |= keys_of(value, f"{name}.") if dataclasses.is_dataclass(value) else {name}
    return found


def flat(content: dict, prefix: str = "") -> set[str]:
    found = set()
    for key, value in content.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}"}
    return found


def test_shipped_file_names_every_setting_and_comments_it():
    text = SHIPPED.read_text()
    assert flat(yaml.safe_load(text)) == keys_of(Config())
    lines = text.splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\s*\w+:", line):
            assert "#" in line or before.lstrip().startswith("#"), line


def test_shipped_file_is_valid_and_paths_count_from_it():
    config = load_config(SHIPPED)
    assert config.paths.saved_models == SHIPPED.parent / "SavedModels"
    assert config.predict == Config().predict


def test_overrides_count_over_the_file_and_leave_the_rest(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("heatmap:\n  depth: 34\n  trainer: {max_minutes: 3}\npaths: {mini_rgbd: x}\n")
    changes = [
        "heatmap.batch_size=5",
        "clip_lifting.noise.sigma=0.5",
        "detector.train=[{dataset: mini_rgbd, root: a}, {dataset: mini_rgbd, split: '1'}]",
    ]
    config = load_config(path, changes)
    assert (config.heatmap.depth, config.heatmap.batch_size) == (34, 5)
    default = Config().heatmap.trainer
    assert config.heatmap.trainer == dataclasses.replace(default, max_minutes=3)
    assert config.clip_lifting.noise == dataclasses.replace(Config().clip_lifting.noise, sigma=0.5)
    near, known = config.detector.train
    assert (near.root, near.split) == (tmp_path / "a", "all")
    assert (known.root, known.split) == (tmp_path / "x", "1")
    assert config.paths.mini_rgbd == tmp_path / "x"


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("heatmap.dept=34", "heatmap.dept"),
        ("heatmap.depth=deep", "heatmap.depth"),
        ("heatmap.depth=19", "heatmap.depth"),
        ("nonsense", "nonsense"),
        ("--heatmap.depth=34", "--heatmap.depth"),
    ],
)
def test_a_wrong_override_is_named_in_one_line(override, named):
    with pytest.raises(DataError) as caught:
        load_config(SHIPPED, [override])
    assert named in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["heatmap: {dept: 3}", "heatmaps: {depth: 18}", "heatmap: [", "3"])
def test_a_wrong_file_is_named_in_one_line(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load_config(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="absent"):
        load_config(tmp_path / "absent.yaml")
