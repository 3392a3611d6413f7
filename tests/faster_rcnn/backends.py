"""Stand-ins for networks: a backend whose outputs are given."""

from __future__ import annotations

import numpy as np


class Answers:
    """Gives each image of pass i the rows (box, score, label) of ``passes[i]``, the last for good.

    Attributes:
        sizes: (width, height) of the images of each pass so far.
    """

    def __init__(self, *passes):
        self.passes, self.sizes = passes, []

    def __call__(self, *images):
        rows = self.passes[min(len(self.sizes), len(self.passes) - 1)]
        self.sizes.append([image.shape[:1:-1] for image in images])
        boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
        return {
            "boxes": np.tile(np.reshape(boxes, (-1, 4)), (len(images), 1)).astype(np.float32),
            "scores": np.tile(scores, len(images)).astype(np.float32),
            "labels": np.tile(labels, len(images)).astype(np.float32),
            "counts": np.full(len(images), len(rows), np.float32),
        }
