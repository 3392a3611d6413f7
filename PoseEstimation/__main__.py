"""``python -m PoseEstimation`` is the command ``infantpose``."""

import sys

from PoseEstimation.cli import main

if __name__ == "__main__":
    sys.exit(main())
