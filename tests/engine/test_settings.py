"""Limits of settings: every number has some, and they hold however it was given."""

from __future__ import annotations

import dataclasses
import re
from typing import get_args, get_origin, get_type_hints

import pytest

from Datasets.transforms.settings import WholeImageTransforms
from Engine.errors import DataError
from Engine.settings import Limits, Settings, faults, interval, limited, limits_of, share
from Engine.training_settings import TrainerSettings
from PoseEstimation import stage_settings
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.config import default_config
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.models.clip_lifter import ClipLifterConfig
from PoseEstimation.models.martinez import MartinezConfig
from PoseEstimation.models.pose_resnet import PoseResNetConfig

STAGES = [kind for name, kind in vars(stage_settings).items() if name.endswith("Settings")]
PARTS = [ClipLifterConfig, MartinezConfig, PoseResNetConfig, HeatmapCodec, PixelCodec, RayCodec]


def parts(hint: object) -> set[object]:
    """Types that a hint is made of; choices (Literal) count as none."""
    if get_origin(hint) is None:
        return {hint}
    inner = [] if str(get_origin(hint)) == "typing.Literal" else get_args(hint)
    return set().union(*map(parts, inner), set())


def sections(kind: type) -> set[type]:
    """A dataclass and all dataclasses that its fields hold."""
    found = {kind}
    for hint in get_type_hints(kind).values():
        for part in parts(hint):
            if dataclasses.is_dataclass(part) and part.__module__.endswith(
                ("ettings", "sources", "configs")
            ):
                found |= sections(part)
    return found


KINDS = sorted(
    set().union(*map(sections, [type(default_config()), *STAGES])) | {*PARTS, Camera},
    key=lambda kind: kind.__name__,
)


def numbers(kind: type) -> list[str]:
    hints = get_type_hints(kind)
    named = [n for n, hint in hints.items() if parts(hint) & {int, float}]
    return [n for n in named if (kind, n) != (Camera, "size")]  # read_intrinsics checks it


def test_all_sections_are_looked_at():
    names = {kind.__name__ for kind in KINDS}
    assert {"DataSource", "ClipNoiseSettings", "TrainerSettings", "GenerateSettings"} <= names
    assert sum(len(numbers(kind)) for kind in KINDS) > 120


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_number_has_limits_that_its_default_keeps(kind):
    for name in numbers(kind):
        limits = limits_of(kind, name)
        assert issubclass(kind, Settings) and limits is not None, f"{kind.__name__}.{name}"
        field = next(f for f in dataclasses.fields(kind) if f.name == name)
        assert field.default is dataclasses.MISSING or limits.hold(field.default), name
        for wrong in (float("nan"), float("inf"), -float("inf"), limits.low - 1, limits.high * 2):
            (fault,) = faults(kind, {name: wrong}, "x.")
            assert fault == f"x.{name} is {wrong}, must lie {limits}"


@dataclasses.dataclass(frozen=True)
class Inner(Settings):
    part: float | None = share(None)


@dataclasses.dataclass(frozen=True)
class Outer(Settings):
    size: int = limited(3, 1, 9)
    span: tuple[float, float] = interval(0.5, 1.5, 0.0, 2.0)
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"size": 0}, "Outer.size is 0, must lie from 1 to 9"),
        ({"size": 10}, "Outer.size is 10, must lie from 1 to 9"),
        ({"size": "3"}, "Outer.size is 3, must lie from 1 to 9"),
        ({"span": (1.5, 0.5)}, "Outer.span is (1.5, 0.5), must lie from 0 to 2 and ascend"),
        ({"span": (0.5, 2.5)}, "Outer.span is (0.5, 2.5), must lie from 0 to 2 and ascend"),
    ],
)
def test_construction_and_replacement_are_checked(given, text):
    with pytest.raises(DataError, match=f"^settings: {re.escape(text)}$"):
        Outer(**given)
    with pytest.raises(DataError, match=re.escape(text)):
        dataclasses.replace(Outer(), **given)


def test_limits_themselves_and_none_are_within():
    assert Outer(size=1).size == 1 and Outer(size=9).size == 9
    assert Outer(span=(0.0, 2.0), inner=Inner(1.0), maybe=Inner(None)).maybe.part is None


def test_faults_are_found_at_any_depth_before_anything_is_made():
    class Given:
        def __init__(self, **values):
            vars(self).update(values)

    values = {"inner": Given(part=2), "many": (Given(part=0.5), Given(part=-1)), "maybe": None}
    assert list(faults(Outer, values)) == [
        "inner.part is 2, must lie from 0 to 1",
        "many.part is -1, must lie from 0 to 1",
    ]


def test_limits_say_whole_numbers_in_full():
    assert str(limits_of(TrainerSettings, "seed")) == "from 0 to 4294967295"
    assert str(Limits(0.05, 20.0, ascending=True)) == "from 0.05 to 20 and ascend"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (PredictSettings, {"fov_degrees": 180}),
        (PredictSettings, {"fov_degrees": -60}),
        (PredictSettings, {"max_infants": -1}),
        (PredictSettings, {"min_box_score": 50}),
        (PredictSettings, {"batch_size": 0}),
        (TrainerSettings, {"seed": -1}),
        (WholeImageTransforms, {"scale": (1.4, 0.5)}),
        (stage_settings.GenerateSettings, {"workers": -1}),
        (Camera, {"fov_degrees": 180.0}),
    ],
)
def test_what_used_to_be_accepted_is_refused(kind, given):
    with pytest.raises(DataError, match=f"{kind.__name__}.{next(iter(given))} is "):
        kind(**given)
