"""Representations: one class per file holds both ways, encode for training and decode for use.

To add one: write a class with ``encode`` and ``decode`` and a round-trip test.
"""
