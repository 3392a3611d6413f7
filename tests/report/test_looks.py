"""What the looks of generated people are measured with: a tiny MoveNet on labels made from it."""

import json
from pathlib import Path

import movenet_files as files
import numpy as np
import pytest
from PIL import Image

from Datasets.skeletons import COCO_17
from Datasets.structures import VISIBLE, Frame, PoseSample
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from report.build.summary import Results
from report.experiments.__main__ import main
from report.experiments.looks import movenet_predictor

SIZE, COUNT, SHIFT_PX = (120, 90), 4, 3.0
BOX = np.array([20.0, 10.0, 90.0, 80.0])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    tensors = files.tiny_tensors(np.random.default_rng(0))
    return files.write_model(tmp_path_factory.mktemp("model"), tensors)


@pytest.fixture(scope="module")
def people(model, tmp_path_factory):
    """Photos whose labels are what the network says, in every second one moved by 3 pixels."""
    root, predictor = tmp_path_factory.mktemp("syrip"), movenet_predictor(model)
    pictures = []
    for i in range(COUNT):
        rgb = np.random.default_rng(i).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
        write_coco_image(root, "images", f"{i}.jpg", rgb)
        with Image.open(root / "images" / f"{i}.jpg") as file:
            frame = Frame("", 0, 0.0, file.convert("RGB"), boxes_xyxy=BOX[None], still=True)
        (result,) = predictor.run([frame], boxes="true")
        points = result.infants[0].keypoints_px + [SHIFT_PX * (i % 2), 0]
        seen = np.full(len(COCO_17), VISIBLE, np.uint8)
        sample = PoseSample(root, COCO_17, points, seen, box_xyxy=BOX, area_px=1000.0)
        more = (("posture", ("Supine", "Prone")[i % 2]),)
        pictures.append(CocoPicture(f"{i}.jpg", i, SIZE, (CocoPerson(sample, None),), more=more))
    write_coco(root, "validate", pictures)
    return root


def test_agreement_is_100_and_a_shift_costs_what_oks_says(model, people, tmp_path, capsys):
    arguments = ["looks", f"--model={model}", "--data", f"syrip={people}", f"--output={tmp_path}"]
    assert main(arguments) == 0
    content = json.loads((tmp_path / "metrics.json").read_text())
    (found,) = content["data"]
    named = f"--model {Path(model).name} --data syrip={people.name} --split all --limit 250"
    assert content["command"].endswith(f"looks {named}") and "commit" in content
    assert found["people"] == COUNT and found["real"] and len(found["labels_sha256"]) == 64
    assert found["postures"]["supine"] == {"people": 2, "ap": pytest.approx(100)}
    assert found["postures"]["prone"]["ap"] < 100
    area = np.prod(BOX[2:] - BOX[:2])
    for joint, sigma in zip(COCO_17.joints, COCO_17.sigmas, strict=True):
        moved = np.exp(-(SHIFT_PX**2) / (2 * area * (2 * sigma) ** 2))
        assert found["joints"][joint] == pytest.approx(50 * (1 + moved), abs=0.2)
    assert found["ap_stated_area"] < found["ap"] < 100
    assert "syrip, real" in (tmp_path / "table.md").read_text()
    assert Results(tmp_path).looks == {"metrics": content}
    assert "MoveNet as it comes" in capsys.readouterr().out


def test_data_are_named(model, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["looks", f"--model={model}", "--data", "elsewhere", f"--output={tmp_path}"])
    assert "write NAME=FOLDER" in capsys.readouterr().err
    assert main(["looks", f"--model={tmp_path}/a", "--data", f"syrip={tmp_path}"]) == 2
