"""``infantpose demo``: the whole main job on generated infants that no network has seen."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from Datasets.profiles import generate, profile_named
from Datasets.structures import Dataset
from Engine.files import require_writable, write_image
from Engine.progress import advancing
from PoseEstimation.commands.evaluate import command_line, wide_console
from PoseEstimation.config import load_config
from PoseEstimation.inference.weight_sets import find_weights

if TYPE_CHECKING:
    from Datasets.structures import Dataset
    from PoseEstimation.inference.predictor import Predictor

PROFILE, FPS = "synthinfant2", 30.0
SEQUENCES = ("05", "16", "27", "38")
"""Of the benchmark: infants of four ages, the second with a movement and a look of its own."""

GENERATOR_FILE = "generator.json"
VIDEO_FRAMES = 150


def run(args: argparse.Namespace) -> int:
    """Generate, evaluate, predict on a video, draw, and say where everything lies."""
    config = load_config(args.config, args.overrides)
    name, saved_models = args.weights or config.weights, config.paths.saved_models
    find_weights(saved_models, name)
    require_writable(args.output)
    from Datasets.readers.mini_rgbd import read_mini_rgbd
    from Datasets.skeletons import INFANT
    from PoseEstimation.inference.predictor import Predictor
    from PoseEstimation.result import NOTICE

    predictor = Predictor.named(saved_models, name, config.predict)
    root, sequences = args.output / "data", SEQUENCES
    print(f"1/3 generate sequences {', '.join(sequences)}, {args.frames} frames each: {root}")
    _clear(root)
    start, profile = time.perf_counter(), profile_named(PROFILE)
    with advancing("generate") as advance:
        generate(profile, root, sequences, args.frames, args.seed, args.workers, advance, fps=FPS)
    seconds = time.perf_counter() - start
    print(f"    {seconds:.0f} s, {len(sequences) * args.frames / seconds:.1f} frames/s")
    print("2/3 evaluate from RGB")
    seconds = _evaluate(predictor, root, sequences, args.output)
    print(f"    {seconds:.0f} s: {args.output}: metrics.json, table.md")
    print("3/3 predict on a video of the first infant and draw")
    seconds = _predict(predictor, read_mini_rgbd(root, sequences[:1], INFANT), args.output)
    print(f"    {seconds:.0f} s: {args.output}: figure_3d.png")
    print(f"{NOTICE}; the infants are generated, real ones are harder")
    return 0


def _clear(root: Path) -> None:
    """Remove what an earlier demo generated; its surplus frames would be evaluated again."""
    if (root / GENERATOR_FILE).is_file():
        shutil.rmtree(root)


def _evaluate(predictor: Predictor, root: Path, sequences: tuple[str, ...], output: Path) -> float:
    """Run the published protocol, print its tables and return the seconds."""
    from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, print_mini_rgbd

    start = time.perf_counter()
    metrics = evaluate_mini_rgbd(predictor, root, sequences, output=output, command=command_line())
    print_mini_rgbd(metrics, wide_console())
    return time.perf_counter() - start


def _predict(predictor: Predictor, dataset: Dataset, output: Path) -> float:
    """Make a video, predict on it as a user would, draw the 3D figure; return the seconds."""
    from Datasets.readers.images import load_image
    from PoseEstimation.commands.predict import last_line, predict_with_progress
    from PoseEstimation.inference.camera import Camera
    from PoseEstimation.inference.predict import PredictRequest
    from PoseEstimation.visualise.video import VideoWriter

    start = time.perf_counter()
    samples = dataset.samples[:VIDEO_FRAMES]
    video = output / f"infant_{samples[0].sequence}.mp4"
    with VideoWriter(video, quality=17) as writer:
        for number, sample in enumerate(samples):
            writer.write(load_image(sample.image_path), number / FPS)
    camera = Camera(intrinsics=samples[0].intrinsics, given=True)
    prediction = predict_with_progress(predictor, PredictRequest([video], output, camera))
    print(f"    {last_line(prediction, output)}")
    _figure(output / "poses.json", dataset, output / "figure_3d.png")
    return time.perf_counter() - start


def _figure(poses: Path, dataset: Dataset, path: Path) -> None:
    """Draw the pose in the middle of the video beside the true one."""
    import numpy as np

    from Datasets.geometry.alignment import root_relative
    from Datasets.readers.images import load_image
    from Datasets.skeletons import INFANT
    from PoseEstimation.io.poses_json import read_poses_json
    from PoseEstimation.visualise.figure3d import pose_figure
    from PoseEstimation.visualise.overlay import draw_overlay

    found = [frame for frame in read_poses_json(poses).frames if frame.infants]
    if not found:
        print("    no infant found in the video: no 3D figure")
        return
    frame = found[len(found) // 2]
    sample, infant = dataset.samples[frame.index], frame.infants[0]
    true_mm = root_relative(np.asarray(sample.joints_mm), INFANT.root_index)
    picture = draw_overlay(load_image(sample.image_path), frame, INFANT)
    error = np.nanmean(np.linalg.norm(infant.joints_mm - true_mm, axis=1))
    both = {"predicted from RGB": infant.joints_mm, "true": true_mm}
    title = f"frame {frame.index}: mean joint error {error:.1f} mm (pelvis-relative)"
    write_image(path, pose_figure(picture, both, INFANT, title))
