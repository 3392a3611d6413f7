"""config.yaml: complete, commented, typed, and wrong keys named in one line."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from Engine.errors import DataError
from PoseEstimation.config import config_files, default_config, load_config

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
    assert flat(yaml.safe_load(text)) == keys_of(default_config())
    lines = text.splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\s*\w+:", line):
            assert "#" in line or before.lstrip().startswith("#"), line


def test_shipped_file_is_valid_and_paths_count_from_it():
    config = load_config(SHIPPED)
    assert config.paths.saved_models == SHIPPED.parent / "SavedModels"
    assert config.paths.cache == SHIPPED.parent / "data" / "cache"
    assert config.predict == default_config().predict and config.heatmap == default_config().heatmap


def test_overrides_count_over_the_file_and_leave_the_rest(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "heatmap:\n  network: {depth: 34}\n  trainer: {max_minutes: 3}\npaths: {mini_rgbd: x}\n"
    )
    changes = [
        "heatmap.batch_size=5",
        "clip_lifting.noise.sigma=0.5",
        "detector.train=[{dataset: mini_rgbd, root: a}, {dataset: mini_rgbd, split: '1'}]",
    ]
    config = load_config(path, changes)
    assert (config.heatmap.network.depth, config.heatmap.batch_size) == (34, 5)
    default = default_config().heatmap.trainer
    assert config.heatmap.trainer == dataclasses.replace(default, max_minutes=3)
    assert config.clip_lifting.noise == dataclasses.replace(
        default_config().clip_lifting.noise, sigma=0.5
    )
    near, known = config.detector.train
    assert (near.root, near.split) == (Path("a"), "all")  # as typed: from the current folder
    assert (known.root, known.split) == (tmp_path / "x", "1")
    assert config.paths.mini_rgbd == tmp_path / "x"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("heatmap: {depth: 34}", "heatmap: {network: {depth: 34}}"),
        (
            "heatmap: {normalise: false, network: {depth: 34}}",
            "heatmap: {network: {depth: 34, normalise: false}}",
        ),
        ("close_up: {looked_at: 7}", "rescoring: {images_scored: 7}"),
        (
            "lifting: {width: 8, observed: [a.npz]}",
            "lifting: {network: {width: 8}, detections: [a.npz]}",
        ),
        ("clip_lifting: {observed_share: 0.5}", "clip_lifting: {detections_share: 0.5}"),
        (
            "clip_lifting: {validation_observed: a.npz, causal: true}",
            "clip_lifting: {validation_detections: a.npz, network: {causal: true}}",
        ),
    ],
)
def test_keys_of_earlier_versions_are_read_and_their_new_names_said(tmp_path, capsys, old, new):
    path = tmp_path / "c.yaml"
    path.write_text(new)
    config = load_config(path)
    assert config != load_config(SHIPPED) and capsys.readouterr().err == ""
    path.write_text(old)
    assert load_config(path) == config
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"config: {path}: '" in said and "' now" in said


def test_numbers_and_texts_are_read_as_what_the_setting_takes(tmp_path):
    changes = ["heatmap.optimiser.learning_rate=1e-3", "heatmap.sigma=2", "weights=7"]
    config = load_config(SHIPPED, [*changes, "detector.validation={dataset: mini_rgbd, split: 1}"])
    assert config.heatmap.optimiser.learning_rate == 0.001 and config.weights == "7"
    assert isinstance(config.heatmap.sigma, float) and config.detector.validation.split == "1"


def own_file(folder: Path, text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``config.yaml`` in the current folder."""
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.chdir(folder)
    return path


def test_an_own_file_of_two_lines_keeps_the_rest_as_shipped(tmp_path, monkeypatch):
    text = "paths: {coco: mine, lsp: ~/lsp}\nheatmap: {trainer: {seed: 3}}\n"
    own_file(tmp_path, text, monkeypatch)
    config, shipped = load_config(), load_config(SHIPPED)
    assert config.weights == shipped.weights == "infant-synthetic"
    assert config.paths == dataclasses.replace(
        shipped.paths, coco=Path("mine"), lsp=Path.home() / "lsp"
    )
    trainer = dataclasses.replace(shipped.heatmap.trainer, seed=3)
    assert config.heatmap == dataclasses.replace(shipped.heatmap, trainer=trainer)
    assert config.lifting == shipped.lifting


def test_a_file_elsewhere_overlays_too_and_its_paths_count_from_it(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = own_file(
        folder,
        "weights: nets/mine\npaths: {saved_models: sets, mpii: /data/mpii}\n"
        "detector: {train: [{dataset: coco, root: x, labels: y.npz}, {dataset: lsp}]}\n",
        monkeypatch,
    )
    monkeypatch.chdir(tmp_path)
    config = load_config(path, ["paths.slp=typed"])
    assert config.weights == str(folder / "nets" / "mine")
    assert config.paths.saved_models == folder / "sets"
    assert config.paths.mpii == Path("/data/mpii") and config.paths.slp == Path("typed")
    assert config.paths.lsp == SHIPPED.parent / "data" / "lsp"
    named, known = config.detector.train
    assert (named.root, named.labels) == (folder / "x", folder / "y.npz")
    assert known.root == config.paths.lsp


def test_lists_and_data_sets_are_replaced_whole(tmp_path, monkeypatch):
    text = (
        "detector:\n  train: [{dataset: coco, root: a}, {dataset: lsp, root: b}]\n"
        "  validation: {dataset: mini_rgbd, split: 1-8, root: c}\n"
        "clip_lifting: {network: {dilations: [1]}}\n"
    )
    own_file(tmp_path, text, monkeypatch)
    changes = ["detector.train=[{dataset: mpii}]", "detector.validation={dataset: mpii}"]
    config = load_config(None, changes)
    (source,) = config.detector.train
    assert source.dataset == "mpii" and source.root == config.paths.mpii
    assert config.detector.validation == dataclasses.replace(source, split="all")
    assert config.clip_lifting.network.dilations == (1,)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Task: reach\nscorer: me\nbodyparts: [nose]\n", "'Task'"),  # DeepLabCut
        ("train: images/train\nnc: 2\nnames: [a, b]\n", "'train'"),  # YOLO
        ("weights: yolo.pt\nepochs: 3\n", "'epochs'"),
        ("services:\n  web: !Sub x\n", "'services'"),
        ("epochs: 3\nbad: [\n", "'epochs'"),
        ('{"name": 1}', "'name'"),
        ("paths: {data: x}\nname: y\n", "'name'"),  # a section of ours by chance
        ("paths: [coco]\nname: y\n", "'name'"),
        ("paths.data: x\nname: y\n", "'name'"),
        ("weights: mine\npredicts: {batch_size: 2}\n", "'predicts'"),
        ("x" * 99 + ": 1\n", "'" + "x" * 40 + "'"),
    ],
)
def test_a_foreign_file_in_the_current_folder_is_named_and_not_used(
    tmp_path, monkeypatch, capsys, text, word
):
    path = own_file(tmp_path, text, monkeypatch)
    assert load_config() == load_config(SHIPPED)
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("infantpose: config.yaml of this folder")
    assert f": {word} is no section of infantpose; name it with --config" in error
    with pytest.raises(DataError):
        load_config(path)
    assert capsys.readouterr().err == ""


OTHER_FILES = {
    "UTF-16": ("predict: {batch_size: 2}\n".encode("utf-16"), "it is no text of sections"),
    "UTF-16 LE": ("predict: {batch_size: 2}\n".encode("utf-16-le"), "it is no text of sections"),
    "binary": (bytes(range(128, 256)) * 2, "it is no text of sections"),
    "every byte": (bytes(range(256)), "it is no YAML text"),
    "a tab": (b"\tpredict: {batch_size: 2}\n", "it is no YAML text"),
    "a directive": (b"%foo\n", "it is no YAML text"),
    "a list": (b"- one\n- two\n", "it is no text of sections"),
    "words": (b"words only\n", "it is no text of sections"),
    "the name of a section": (b"predict\n", "it is no text of sections"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_what_is_no_file_of_sections_is_not_used(tmp_path, monkeypatch, capsys, name):
    content, reason = OTHER_FILES[name]
    path = own_file(tmp_path, content, monkeypatch)
    assert load_config() == load_config(SHIPPED)
    assert capsys.readouterr().err == (
        f"infantpose: config.yaml of this folder is not used: {reason}; name it with --config if "
        "it is meant\n"
    )
    with pytest.raises(DataError, match=re.escape(str(path))):
        load_config(path)


def test_a_file_that_may_not_be_read_is_not_used(tmp_path, monkeypatch, capsys):
    path = own_file(tmp_path, "predict: {batch_size: 2}\n", monkeypatch)
    read_text = Path.read_text

    def refuse(self, *args, **options):
        if self.name == "config.yaml" and self.samefile(path):
            raise PermissionError(13, "Permission denied")
        return read_text(self, *args, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    assert load_config() == load_config(SHIPPED)
    error = capsys.readouterr().err
    assert "is not used: it cannot be read (Permission denied); " in error
    assert error.count("\n") == 1
    with pytest.raises(DataError, match="cannot be read"):
        load_config(path)


@pytest.mark.parametrize(
    "text",
    [
        "heatmap: {depth: 34}\npredicts: {batch_size: 2}\n",
        "predicts:\n  batch_size: 2\npaths:\n  data: x\n  coco: mine\n",
        "predicts: {batch_size: 2}\npredict.max_infants: 2\n",
    ],
)
def test_a_typing_mistake_in_an_own_file_is_an_error(tmp_path, monkeypatch, text):
    own_file(tmp_path, text, monkeypatch)
    with pytest.raises(DataError, match=r"^config: config\.yaml: .*predicts") as caught:
        load_config()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "\ufeff", "heatmap:\n", "heatmap:\n  trainer:\n", "---\n"]
)
def test_an_empty_file_or_section_changes_nothing(tmp_path, monkeypatch, capsys, text):
    own_file(tmp_path, text, monkeypatch)
    assert load_config() == load_config(SHIPPED)
    assert capsys.readouterr().err == ""


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path, monkeypatch):
    own_file(tmp_path, b"\xef\xbb\xbfweights: mine\r\npredict: {batch_size: 2}\r\n", monkeypatch)
    config = load_config()
    assert (config.weights, config.predict.batch_size) == ("mine", 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("heatmap:\n\tdepth: 34\n", "line 2 is not valid YAML (found character '\\t'"),
        ("weights: a\nweights: b\n", "line 2 is not valid YAML (key 'weights' stands twice)"),
        ("heatmap: 3\n", "heatmap is 3, must be a section of settings"),
        ("heatmap: {trainer: fast}\n", "trainer"),
        ("predict: {fov_degrees: 180}\n", "predict.fov_degrees is 180.0, must lie from 5 to 170"),
        ("detector: {train: [{dataset: coco, share: -1}]}\n", "detector.train.share is -1.0"),
        ("predict: {batch_size: 2.5}\n", "predict.batch_size"),
        ("predict: {min_box_score: .nan}\n", "predict.min_box_score is nan"),
    ],
)
def test_faults_of_an_own_file_are_one_line_with_its_name(tmp_path, monkeypatch, text, said):
    own_file(tmp_path, text, monkeypatch)
    with pytest.raises(DataError) as caught:
        load_config()
    assert str(caught.value).startswith("config: config.yaml") and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_of_overrides_name_the_command_line(tmp_path):
    with pytest.raises(DataError) as caught:
        load_config(SHIPPED, ["predict.max_infants=-1"])
    assert str(caught.value) == (
        "config: the command line: predict.max_infants is -1, must lie from 1 to 100"
    )


def test_without_a_shipped_file_the_defaults_count(tmp_path, monkeypatch):
    monkeypatch.setattr("PoseEstimation.config.SHIPPED", tmp_path / "absent.yaml")
    monkeypatch.chdir(tmp_path)
    assert config_files(None) == []
    assert load_config().paths == default_config().paths
    own = own_file(tmp_path, "weights: mine\n", monkeypatch)
    assert config_files(None) == [Path("config.yaml")] and config_files(own) == [own]
    assert load_config().weights == "mine"
    own_file(tmp_path, "epochs: 3\n", monkeypatch)
    assert config_files(None) == [] and load_config() == default_config()


def test_every_data_set_gets_root_and_cache_once(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "paths: {cache: kept, coco: images}\n"
        "heatmap: {train: [{dataset: coco}, {dataset: coco, root: r, cache: own}]}\n"
        "lifting: {validation: {dataset: mpi_inf_3dhp}}\n"
    )
    config = load_config(path)
    near, own = config.heatmap.train
    assert (near.root, near.cache) == (tmp_path / "images", tmp_path / "kept")
    assert (own.root, own.cache) == (tmp_path / "r", tmp_path / "own")
    assert config.lifting.validation.cache == tmp_path / "kept"


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("heatmap.dept=34", "heatmap.dept"),
        ("heatmap.network.depth=deep", "heatmap.network.depth is 'deep', must be one of 18, 34"),
        ("heatmap.network.depth=19", "heatmap.network.depth"),
        ("heatmap.network.kind=martinez", "heatmap.network.kind is 'martinez', must be one of"),
        ("heatmap.augment=3", "heatmap.augment is 3, must be true or false"),
        ("clip_lifting.cameras.distance_mm=[1]", "distance_mm is [1], must be a list of 2"),
        ("clip_lifting.cameras.distance_mm=[900, 800]", "must lie from 50 to 100000 and ascend"),
        ("heatmap.validation={split: all}", "heatmap.validation.dataset is missing"),
        ("heatmap.validation={dataset: coco, spilt: all}", "heatmap.validation.spilt is no"),
        ("heatmap.train=[", "heatmap.train is no YAML value"),
        ("heatmap.batch_size=0", "heatmap.batch_size is 0, must lie from 1 to 65536"),
        ("predict.min_box_score=50", "predict.min_box_score is 50.0, must lie from 0 to 1"),
        ("lifting.trainer.seed=-1", "lifting.trainer.seed is -1"),
        ("detector.num_workers=-2", "detector.num_workers is -2"),
        ("heatmap.train=[{dataset: coco, share: .inf}]", "heatmap.train.share is inf"),
        ("heatmap=3", "heatmap"),
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


def test_earlier_names_of_sections_and_settings_still_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "config.yaml"
    own.write_text("close_up: {looked_at: 7, per_image: 3}\n")
    for path in (own, None):
        found = load_config(path, ["close_up.per_image=5"]).rescoring
        assert (found.images_scored, found.per_image) == (7, 5)
    research = SHIPPED.parent / "SavedModels" / "infant-research" / "config.yaml"
    assert load_config(research).rescoring.trainer.patience == 99
