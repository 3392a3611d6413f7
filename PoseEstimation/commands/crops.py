"""``infantpose crops``: single-person crops of a data set in COCO's layout."""

from __future__ import annotations

import argparse
import sys

from Engine.files import require_writable
from Engine.progress import advancing
from Engine.reading import require_folder
from PoseEstimation.config import load_config


def run(args: argparse.Namespace) -> int:
    """Crop and say how many."""
    paths = load_config(args.config, args.overrides).paths
    root = require_folder(args.root or paths.coco, args.dataset)
    require_writable(args.output)
    from Datasets.crops import write_crops

    with advancing("crop") as advance:
        counts = write_crops(
            root, args.split, args.output, args.min_keypoints, args.size, args.margin, advance
        )
    for note in counts.notes:
        print(f"infantpose: note: {note}", file=sys.stderr)
    print(
        f"{counts.written} people cropped, {counts.left_out} with fewer than "
        f"{args.min_keypoints} labelled joints left out: {args.output}"
    )
    return 0
