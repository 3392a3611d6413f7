"""``infantpose lift``: 2D joints of other programs in, ``poses.json`` with their 3D out."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from Datasets.skeletons import INFANT, Skeleton
from Engine.errors import DataError
from PoseEstimation.commands.predict import camera_of, last_line, report_errors
from PoseEstimation.config import Config, load_config
from PoseEstimation.inference.body_scale import scale_assumption
from PoseEstimation.inference.given_joints import GivenJoints
from PoseEstimation.inference.predict import (
    Prediction,
    PredictRequest,
    prepare_output,
    write_lifted,
)
from PoseEstimation.inference.reprojection import ReprojectionQuality
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.inference.weight_sets import find_weights, notice_of_terms
from PoseEstimation.io.foreign import read_recordings
from PoseEstimation.io.foreign.joint_names import JointMatch, match_joints, read_joint_map
from PoseEstimation.io.header import Header


def run(args: argparse.Namespace) -> int:
    """Lift; 2 when a pose could not be lifted, after everything else was done."""
    config = load_config(args.config, args.overrides)
    folder = find_weights(config.paths.saved_models, args.weights or config.weights)
    given = _given(args, config)
    request = PredictRequest(
        sources=args.inputs,
        output=args.output,
        camera=given[0].camera,
        formats=args.format,
        body=BodySize(args.length_cm, args.age_weeks),
        overlay=None,
        other_inputs=[path for path in (args.intrinsics, args.map, args.config) if path],
    )
    prepare_output(request)
    # torch is loaded only when everything that was asked for is sound
    from PoseEstimation.inference.predictor import Predictor

    predictor = Predictor.lifting(folder, config.predict)
    if notice := notice_of_terms(folder, config.paths.saved_models):
        print(f"infantpose: {notice}", file=sys.stderr)
    header = _header(given, predictor.skeleton, predictor.model_info, request)
    write_lifted(predictor, chain.from_iterable(one.results() for one in given), header, request)
    for line in _residuals(header.quality.summary()["reprojection"]):
        print(line)
    report_errors(header.quality)
    print(last_line(Prediction(header, request.files, ()), request.output))
    return 0 if header.complete else 2


def _given(args: argparse.Namespace, config: Config) -> list[GivenJoints]:
    """Read every file, match its joints and print which is which; all is checked.

    Raises:
        DataError: a file, the map or the camera cannot be used, or two files hold one recording.
    """
    camera = camera_of(args, config)
    said = {} if args.map is None else read_joint_map(args.map, INFANT)
    given: list[GivenJoints] = []
    for path in args.inputs:
        kind, recordings = read_recordings(path, args.size)
        print(f"{path}: {kind.name}")
        for recording in recordings:
            match = match_joints(recording, INFANT, said)
            if not given or given[-1].match != match:
                print(table_of(match))
            known = args.size, args.fps, args.sigma_px
            given.append(GivenJoints(recording, match, camera, *known, config.predict))
    names = {name for one in given for name in one.recording.names}
    if strange := next((name for name in said if name not in names), None):
        raise DataError(f"map: {args.map}: no file has a joint '{strange}'; correct its name")
    source, times = Counter(one.recording.source for one in given).most_common(1)[0]
    if times > 1:
        raise DataError(f"lift: {source} stands {times} times in the files; give each only once")
    return given


def table_of(match: JointMatch) -> str:
    """The file's joints beside ours, a line each; unused and missing ones are named as such."""
    rows = match.rows()
    width = max(len(theirs) for theirs, _ in rows)
    return "\n".join(f"  {theirs:<{width}}  {ours}" for theirs, ours in rows)


def _header(
    given: Sequence[GivenJoints],
    skeleton: Skeleton,
    model_info: dict[str, Any],
    request: PredictRequest,
) -> Header:
    """What the files say beside the frames.

    Raises:
        DataError: the lifter takes other joints.
    """
    if skeleton != INFANT:
        raise DataError(f"weights: the lifter takes joints of {skeleton.name}; choose another set")
    known = {one.recording.source: one.assumption() for one in given}
    return Header(
        skeleton,
        model_info,
        {
            **request.camera.assumption(),
            **scale_assumption(request.body),
            "recordings": known,
        },
        {one.recording.source: len(one.recording.indices) for one in given},
        quality=ReprojectionQuality(skeleton),
    )


def _residuals(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line per track, and their mean where there are several."""
    lines = [f"{row['source']}, infant {row['track_id']}: {_residual([row])}" for row in rows]
    return lines + ([f"mean of {len(rows)} infants: {_residual(rows)}"] if len(rows) > 1 else [])


def _residual(rows: Sequence[dict[str, Any]]) -> str:
    """Mean over tracks, in words."""
    mean_px = np.mean([row["mean_px"] for row in rows])
    shares = [row["share_of_trunk"] for row in rows if row["share_of_trunk"] is not None]
    trunk = f" ({100 * np.mean(shares):.1f} % of the trunk)" if shares else ""
    frames = sum(row["frames"] for row in rows)
    return f"{frames} frames, reprojection residual {mean_px:.1f} px{trunk}"
