"""``python -m Datasets ARGUMENTS`` is ``infantpose ARGUMENTS``: ``render``, ``verify`` ..."""

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("PoseEstimation.cli").main())
