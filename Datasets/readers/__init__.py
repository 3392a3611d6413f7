"""Readers of official layouts, one file per data set; each returns a ``structures.Dataset``."""
