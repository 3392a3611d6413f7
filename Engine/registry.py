"""Objects by name: tables name ``module:object``, and the module is imported when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load_object(place: str) -> Any:
    """Import what ``module:object`` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
