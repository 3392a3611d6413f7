"""``python -m FasterRCNN train|evaluate …``: ``infantpose train|evaluate detector …``."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv[2:2] = ["detector"]
    runpy.run_module("PoseEstimation", run_name="__main__", alter_sys=True)
