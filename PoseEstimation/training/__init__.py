"""Recipes, one per file: data, network, loss; the loop is ``Engine.trainer``'s.

To add one: a settings dataclass in ``PoseEstimation/settings.py``, an ``AveragedModule`` with its
two steps, and a ``train_NAME(settings, output, resume)`` that writes ``output/NAME.safetensors``.
"""
