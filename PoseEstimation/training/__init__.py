"""Recipes, one per file: data, network, loss; the loop is ``Engine.trainer``'s.

To add one: a settings dataclass, an ``AveragedModule`` with its two steps, and a function
``train_NAME(settings, output, resume)`` that ends in ``train_and_write``.
"""
