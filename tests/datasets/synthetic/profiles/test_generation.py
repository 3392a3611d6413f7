"""The mechanism that all profiles share: a toy profile, sources of randomness, the record."""

import json

import numpy as np
import pytest

from Datasets.synthetic import workers
from Datasets.synthetic.profiles.generation import (
    GENERATOR_VERSION,
    PictureProfile,
    generate_pictures,
    is_validation,
    random_source,
)


def write_picture(output, number, source):
    (output / f"{number}.txt").write_text(f"{source().random()} {source(1).random()}")
    return number, source().random()


def write_labels(output, labels):
    (output / "labels.json").write_text(json.dumps(labels))


TOY = PictureProfile("toy", 7, write_picture, write_labels)


@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_a_profile_is_its_pictures_and_labels_in_order_however_the_work_is_divided(
    tmp_path, monkeypatch, chunk
):
    monkeypatch.setattr(workers, "CHUNK", chunk)
    generate_pictures(TOY, tmp_path, 5)
    expected = [[n, random_source(7, "toy", n).random()] for n in range(5)]
    assert json.loads((tmp_path / "labels.json").read_text()) == expected
    record = {"generator": GENERATOR_VERSION, "name": "toy", "seed": 7, "images": 5}
    assert json.loads((tmp_path / "generator.json").read_text()) == record
    for number, value in expected:
        first, second = (tmp_path / f"{number}.txt").read_text().split()
        assert float(first) == value != float(second)


def test_sources_are_those_of_the_seed_the_names_and_the_numbers():
    first = random_source(3, "slp", 2, 0).random(4)
    assert np.array_equal(first, random_source(3, "slp", 2, 0).random(4))
    for other in ((4, "slp", 2, 0), (3, "lsp", 2, 0), (3, "slp", 1, 0), (3, "slp", 2, 1)):
        assert not np.allclose(first, random_source(*other).random(4))


def test_every_eighth_picture_validates():
    assert [n for n in range(24) if is_validation(n)] == [7, 15, 23]
