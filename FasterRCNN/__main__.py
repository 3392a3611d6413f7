"""``python -m FasterRCNN train|evaluate``: stage one alone; ``infantpose`` does it all."""

from __future__ import annotations

import shlex
import sys

from jsonargparse import ArgumentParser, Namespace

from Engine.process import exit_code
from FasterRCNN.settings import DetectorSettings

PROGRAM = "python -m FasterRCNN"


def build_parser() -> ArgumentParser:
    """Make the parser with its two commands; needs no torch."""
    parser = ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subcommands(dest="command")
    train = ArgumentParser(description="Train the detector on images of infants and adults.")
    train.add_argument("--config", action="config", help="YAML file with these settings")
    train.add_class_arguments(DetectorSettings)
    train.add_argument("--output", type=str, required=True, help="folder of the run")
    train.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    commands.add_subcommand("train", train)
    evaluate = ArgumentParser(description="How well infants are found, and who is mistaken.")
    evaluate.add_argument("--weights", type=str, required=True, help="detector.safetensors")
    evaluate.add_argument("--dataset", type=str, default="mini_rgbd", help="such as coco or syrip")
    evaluate.add_argument("--root", type=str, required=True, help="folder of the data set")
    evaluate.add_argument(
        "--split", "--sequences", type=str, default="all", help="such as 11-12 or validation"
    )
    evaluate.add_argument("--output", type=str, default=None, help="folder for metrics.json")
    commands.add_subcommand("evaluate", evaluate)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; exit code 2 for input that cannot be used."""
    parser = build_parser()
    arguments = sys.argv[1:] if arguments is None else arguments
    command = shlex.join([*PROGRAM.split(), *arguments])
    return exit_code(PROGRAM, lambda: _run(parser, parser.parse_args(arguments), command))


def _run(parser: ArgumentParser, chosen: Namespace, command: str) -> int:
    from pathlib import Path

    values = chosen[chosen.command]
    if chosen.command == "train":
        from FasterRCNN.train import train_detector

        output, resume = Path(values.pop("output")), values.pop("resume")
        values.pop("config", None)
        settings = DetectorSettings(**vars(parser.instantiate(chosen)[chosen.command]))
        print(train_detector(settings, output, resume))
        return 0
    from Datasets.catalogue import open_dataset
    from Engine.provenance import file_sha256
    from FasterRCNN.detector import InfantDetector
    from FasterRCNN.evaluate import evaluate_detector

    dataset = open_dataset(values.dataset, values.root, values.split)
    detector = InfantDetector.from_weights(Path(values.weights))
    output = Path(values.output) if values.output else None
    made_by = {
        "weights_sha256": file_sha256(Path(values.weights)),
        "data": f"{values.dataset}, {values.split}",
        "command": command,
    }
    for name, value in evaluate_detector(detector, dataset, output, made_by=made_by).items():
        print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
