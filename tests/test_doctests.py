"""The examples in docstrings give what they say."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("Engine", "Datasets", "FasterRCNN", "PoseEstimation", "report")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def examples() -> Iterator[tuple[str, str]]:
    """Module and docstring of everything that is explained by an example."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    for path in paths:
        source = path.read_text(encoding="utf-8")
        if ">>>" in source:
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, DOCUMENTED)]
            texts = [ast.get_docstring(node) or "" for node in nodes]
            yield from ((module, text) for text in texts if ">>>" in text)


@pytest.mark.parametrize(("module", "text"), [*examples()], ids=lambda value: value.split("\n")[0])
def test_an_example_gives_what_it_says(module: str, text: str) -> None:
    example = doctest.DocTestParser().get_doctest(
        text, dict(vars(import_module(module))), module, None, 0
    )
    assert doctest.DocTestRunner().run(example) == (0, len(example.examples))


def test_there_are_examples() -> None:
    assert len(list(examples())) >= 6
