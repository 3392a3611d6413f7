"""``data_sources`` holds every row that the report compares; its rows differ in one thing."""

from pathlib import Path

import pytest

from PoseEstimation.chains.chain import placed_stages, planned_minutes
from PoseEstimation.config import load_config
from PoseEstimation.evaluation.compare_spec import read_spec
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import ScoreSettings
from report.experiments.data_sources import FOLDS, SEEDS, data_sources

SPECS = Path(__file__).parents[2] / "report" / "compare"


def listed():
    config = load_config()
    return placed_stages(data_sources(Path("data_sources"), config), config)


@pytest.fixture(scope="module")
def stages():
    return {s.name: s.settings for s in listed()}


def test_every_small_row_of_the_report_is_a_stage(stages):
    runs = [run for spec in SPECS.glob("*.yaml") for row in read_spec(spec)[1] for run in row.runs]
    compared = {run.parts[-2] + "/" + run.name for run in runs if "data_sources" in run.parts}
    scored = {name for name, settings in stages.items() if isinstance(settings, ScoreSettings)}
    assert compared == scored
    assert {
        f"score/{row}-{seed}" for row in ("best", "matched", "ellershaw") for seed in SEEDS
    } <= compared


def test_the_total_is_known_before_the_start(stages, tmp_path):
    trained = [s for s in stages.values() if hasattr(s, "trainer")]
    limits = [s.trainer.max_minutes for s in trained]
    assert max(limits) <= 8
    assert planned_minutes(listed(), tmp_path) == pytest.approx(sum(limits))


def test_folds_keep_every_infant_out_once_and_learn_from_no_held_out_one(stages):
    from Datasets.selection import parse_sequences

    tested = []
    for test, held, train in FOLDS.values():
        parts = [set(parse_sequences(part)) for part in (test, held, train)]
        assert sum(map(len, parts)) == 12 and len(set.union(*parts)) == 12
        tested += parts[0]
    assert sorted(tested) == [f"{n:02d}" for n in range(1, 13)]


def test_ours_and_the_published_see_as_many_pictures(stages):
    def pictures(name):
        settings = stages[name]
        return settings.batch_size * settings.trainer.steps_per_epoch * settings.trainer.max_epochs

    published = sum(pictures(f"ellershaw-0/{n}") for n in ("1-heatmap-mpii", "2-heatmap-mini_rgbd"))
    assert pictures("matched-0/1-heatmap") == pictures("best-0/1-heatmap") == published


def test_an_ablation_changes_one_setting(stages):
    def changed(name, base):
        a, b = stages[name], stages[base]
        return {f for f in a.__dataclass_fields__ if getattr(a, f) != getattr(b, f)}

    ingredients = {
        name: settings
        for name, settings in stages.items()
        if name.endswith(("/2d", "/3d")) and not name.startswith(("no-adults", "zedo"))
    }
    bases = {HeatmapSettings: "best-0/1-heatmap", ClipLiftingSettings: "best-0/2-clips"}
    for name, settings in ingredients.items():
        base = "ellershaw-0/2-heatmap-mini_rgbd" if name == "no-box/2d" else bases[type(settings)]
        assert len(changed(name, base)) == 1, name
