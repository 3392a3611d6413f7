"""The command ``infantpose``: what can be asked, and what each answer means to the shell.

Exit codes: 0 done, 2 bad input (one line: what, where, what to do), 1 any other failure. Nothing
heavy is imported before a command runs, so that help answers at once. To add a command: describe it
here and write ``commands/<name>.py`` with ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn, Protocol

from Datasets import sources
from Datasets.profiles import PROFILES
from Engine.errors import one_line, required
from Engine.process import exit_code
from Engine.settings import COUNT, SEED, Limits, limits_of
from PoseEstimation import io, recipes
from PoseEstimation.inference.settings import (
    AGE_WEEKS,
    FPS,
    LENGTH_CM,
    SIGMA_PX,
    PredictSettings,
)
from PoseEstimation.io import foreign
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.stage_settings import GenerateSettings


class Named(Protocol):
    """A row of a table."""

    @property
    def name(self) -> str:
        """What the command line calls it."""


class _Number:
    """A number within limits."""

    def __init__(self, kind: type[int] | type[float], limits: Limits) -> None:
        self.kind, self.limits = kind, limits

    def __call__(self, text: str) -> float:
        try:
            value = self.kind(text)
        except ValueError:
            value = float("nan")
        if not self.limits.hold(value):
            what = "a whole number" if self.kind is int else "a number"
            raise argparse.ArgumentTypeError(f"'{text}' is not {what} {self.limits}")
        return value


def _of_setting(kind: type[int] | type[float], settings: type, name: str) -> _Number:
    return _Number(kind, required(limits_of(settings, name), f"{name}: limits"))


_count, _seed = _Number(int, COUNT), _Number(int, SEED)
_length, _age = _Number(float, LENGTH_CM), _Number(float, AGE_WEEKS)
_rate, _sigma = _Number(float, FPS), _Number(float, SIGMA_PX)
_frames = _of_setting(int, GenerateSettings, "frames")
_workers = _of_setting(int, GenerateSettings, "workers")
_fps = _of_setting(float, GenerateSettings, "fps")
_side = _of_setting(int, HeatmapSettings, "input_size")
_margin = _of_setting(float, HeatmapSettings, "crop_margin")
_fov = _of_setting(float, PredictSettings, "fov_degrees")


def _path(text: str) -> Path:
    """A path; shells leave ``--output=~/x`` to the program."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"'{text}': {error}") from None


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"infantpose: error: {one_line(message)}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    common = _Parser(add_help=False)
    common.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    configured = _Parser(add_help=False, parents=[common])
    configured.add_argument("--config", type=_path, metavar="FILE", help="default: config.yaml")
    configured.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="SECTION.KEY=VALUE",
        help="set one value of config.yaml; may be repeated",
    )  # fmt: skip
    parser = _Parser(
        "infantpose", parents=[common], description="3D pose of infants from an ordinary camera. "
        "A research tool, not a medical device.", allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_predict(commands, configured)
    _add_lift(commands, configured)
    _add_demo(commands, configured)
    _add_evaluate(commands, configured)
    _add_compare(commands, common)
    _add_train(commands, common)
    _add_data_commands(commands, common, configured)
    _add_import(commands, common)
    _add(commands, "doctor", configured, "check the installation and the weights")
    return parser


def _add(
    commands: argparse._SubParsersAction, name: str, parent: argparse.ArgumentParser, text: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, parents=[parent], help=text, description=text, allow_abbrev=False
    )


def _add_predict(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    predict = _add(commands, "predict", parent, "find the infants in photos and videos")
    option = predict.add_argument
    option("inputs", nargs="+", metavar="INPUT", help="photo, video, folder or glob pattern")
    option("--output", type=_path, required=True, metavar="DIR", help="folder for every file")
    option("--weights", metavar="NAME", help="weight set, default: the one in config.yaml")
    option("--format", type=_formats, default=("json", "csv"), metavar="json,csv,coco")
    option("--coco-annotations", type=_path, metavar="FILE", help="image ids by file name")
    _add_camera_and_body(predict)
    option("--no-overlay", action="store_true", help="draw nothing")
    option("--blur-face", action="store_true", help="blur faces in the overlay")


def _add_camera_and_body(command: argparse.ArgumentParser) -> None:
    option = command.add_argument
    option("--intrinsics", type=_path, metavar="FILE", help="JSON with fx, fy, cx, cy in pixels")
    option("--fov", type=_fov, metavar="DEG", help="view across the longer side")
    option("--length-cm", type=_length, metavar="CM", help="crown-heel length")
    option("--age-weeks", type=_age, metavar="N", help="age since term (corrected)")


def _add_lift(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    lift = _add(commands, "lift", parent, "3D from 2D joints that another program found")
    lift.epilog = f"Formats of FILE: {', '.join(_names_of(foreign.FORMATS))}."
    option = lift.add_argument
    option("inputs", nargs="+", type=_path, metavar="FILE", help="2D joints in pixels")
    option("--output", type=_path, required=True, metavar="DIR", help="folder for every file")
    option("--weights", metavar="NAME", help="weight set, default: the one in config.yaml")
    option("--format", type=_formats, default=("json", "csv"), metavar="json,csv,coco")
    option("--map", type=_path, metavar="FILE", help="YAML or CSV of their_name: our_joint")
    _add_camera_and_body(lift)
    option("--size", type=_size, metavar="WxH", help="of the pictures, where FILE does not say")
    option("--fps", type=_rate, metavar="N", help="frames per second; default: times of FILE, 30")
    option("--sigma-px", type=_sigma, metavar="PX", help="standard deviation of the joints")


def _add_demo(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    demo = _add(commands, "demo", parent, "generate four unseen infants, predict, evaluate, draw")
    demo.add_argument("--output", type=_path, default=Path("runs/demo"), metavar="DIR")
    demo.add_argument("--weights", metavar="NAME", help="default: the one in config.yaml")
    demo.add_argument("--frames", type=_frames, default=75, help="per sequence, default 75")
    demo.add_argument("--seed", type=_seed, default=None, help="of the infants")
    demo.add_argument("--workers", type=_workers, default=2, help="processes that generate")


def _add_evaluate(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    evaluate = _add(commands, "evaluate", parent, "run a published protocol")
    option = evaluate.add_argument
    option("protocol", choices=_names_of(recipes.PROTOCOLS))
    option("--weights", metavar="NAME", help="default: the one in config.yaml")
    option("--root", type=_path, metavar="DIR", help="data, default: from config.yaml: paths")
    option("--split", help="train, validation, test, all, or such as 11-12; default: the held-out")
    option("--input", choices=("predicted", "gt2d"), help="2D joints of mini_rgbd")
    option("--boxes", choices=("own", "true"), help="default: own; syrip: true, both are reported")
    option("--every", type=_count, metavar="N", help="use each n-th frame")
    option("--dataset", choices=_names_of(sources.DATASETS), help="that the detector is run on")
    option("--output", type=_path, required=True, metavar="DIR")


def _add_compare(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    compare = _add(commands, "compare", parent, "evaluations side by side, with intervals")
    compare.add_argument(
        "spec", type=_path, metavar="FILE", help="YAML: title, rows of evaluations"
    )
    compare.add_argument("--output", type=_path, required=True, metavar="DIR")


def _add_train(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    train = _add(commands, "train", parent, "run one recipe, or all stages of a chain")
    train.add_argument("recipe", choices=(*_names_of(recipes.RECIPES), "chain"))
    train.add_argument(
        "overrides", nargs="*", metavar="section.key=value", help="values over config.yaml"
    )
    train.add_argument(
        "--recipe", dest="chain", choices=_names_of(recipes.CHAINS), help="of a chain; default best"
    )
    train.add_argument("--config", type=_path, metavar="FILE", help="default: config.yaml")
    train.add_argument("--output", type=_path, metavar="DIR", help="default: runs/RECIPE")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")


def _add_data_commands(
    commands: argparse._SubParsersAction,
    common: argparse.ArgumentParser,
    configured: argparse.ArgumentParser,
) -> None:
    synth = _add(commands, "synth", common, "generate people with exact labels")
    synth.add_argument(
        "--profile", default="mini_rgbd", help=f"one of {', '.join(_names_of(PROFILES))}"
    )
    synth.add_argument("--output", type=_path, required=True, metavar="DIR")
    synth.add_argument(
        "--sequences", help="a number, or names such as 11-12: sequences (mini_rgbd, varied, "
        "synthinfant2), infants (movements, postures) or subjects (mpi_inf_3dhp, slp)",
    )  # fmt: skip
    synth.add_argument(
        "--frames",
        type=_frames,
        help="per sequence or subject; pictures in all (mpii, coco, lsp, syrip, scenes)",
    )
    synth.add_argument("--seed", type=_seed, help="default: the profile's own")
    synth.add_argument("--fps", type=_fps, default=30.0, help="of lying infants")
    synth.add_argument("--size", type=_side, default=512, help="of mpi_inf_3dhp's square frames")
    synth.add_argument("--cameras", default="vnect", help="camera set of mpi_inf_3dhp")
    synth.add_argument(
        "--labels-only", action="store_true", help="of lying infants: write no pictures"
    )
    synth.add_argument(
        "--sources", type=_names, default=(), metavar="A=SHARE,...",
        help="of movements and postures: habits, random, slp, cmu, syrip; postures: drawn, too",
    )  # fmt: skip
    for name, source in (("smpl-poses", "slp"), ("cmu-angles", "cmu"), ("weak-poses", "syrip")):
        synth.add_argument(f"--{name}", type=_path, metavar="FILE", help=f"npz of source {source}")
    synth.add_argument(
        "--postures", type=_names, default=(), metavar="A,B", help="of syrip: only these, as often"
    )
    synth.add_argument("--workers", type=_workers, default=2)
    render = _add(commands, "render", configured, "draw a sheet of labelled samples")
    verify = _add(commands, "verify", configured, "check a folder against the official layout")
    for command in (render, verify):
        command.add_argument("dataset", choices=_names_of(sources.DATASETS))
        command.add_argument(
            "--root", type=_path, metavar="DIR", help="default: from config.yaml: paths"
        )
    crops = _add(commands, "crops", configured, "crop every person of a data set")
    crops.add_argument("dataset", choices=("coco",), help="layout of the data")
    crops.add_argument("--root", type=_path, metavar="DIR", help="default: from config.yaml: paths")
    crops.add_argument("--split", default="train", help="train, validation, or such as val2017")
    crops.add_argument("--output", type=_path, required=True, metavar="DIR")
    crops.add_argument("--min-keypoints", type=_count, default=1, help="labelled joints needed")
    crops.add_argument("--size", type=_side, default=256, help="side of the crops in pixels")
    crops.add_argument("--margin", type=_margin, default=1.25, help="crop over box")
    render.add_argument("--split", default="all", help="train, validation, test, all, or its own")
    render.add_argument("--output", type=_path, default=Path("Images"), metavar="DIR")


def _size(text: str) -> tuple[int, int]:
    """Width and height such as 640x480."""
    found = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text.lower())
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 640x480")
    return int(found[1]), int(found[2])


def _add_import(commands: argparse._SubParsersAction, parent: argparse.ArgumentParser) -> None:
    weights = _add(commands, "import", parent, "initial weights from a published network")
    weights.add_argument("network", choices=("movenet",))
    weights.add_argument(
        "--model", type=_path, required=True, metavar="FILE.json", help="of TensorFlow.js"
    )
    weights.add_argument("--output", type=_path, required=True, metavar="DIR")


def _names_of(rows: Iterable[Named]) -> tuple[str, ...]:
    return tuple(row.name for row in rows)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _formats(text: str) -> tuple[str, ...]:
    names = _names(text)
    known = _names_of(io.FORMATS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"'{unknown[0]}' is not one of {', '.join(known)}")
    return names


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; overrides of ``train`` may stand before and after its options."""
    parser = build_parser()
    args, rest = parser.parse_known_args(argv)
    late = [text for text in rest if "=" in text and not text.startswith("-")]
    if len(late) < len(rest) or (rest and args.command != "train"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if late:
        args.overrides = [*args.overrides, *late]
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    return exit_code("infantpose", lambda: _run(parse(argv)), debug)


def _run(args: argparse.Namespace) -> int:
    return import_module(f"PoseEstimation.commands.{args.command}").run(args)
