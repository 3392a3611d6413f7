"""``real.json`` holds what the evaluations of photos and of the detector say."""

import json

import pytest

from Engine.errors import DataError
from report.build.__main__ import main
from report.build.photo_record import record_tables
from report.build.summary import PHOTO_MARKS, Results, with_tables

BOXES = {
    kind: {"ap": ap, "ap50": 90.0, "ap75": 70.0, "ar": 77.0, "interval": [ap - 5, ap + 5]}
    for kind, ap in (("own", 55.0), ("true", 65.0))
}
PHOTOS = {
    "protocol": "syrip",
    "data": {"boxes": "true", "split": "validation"},
    "weights": {"name": "x"},
    "code_version": "1",
    "clean": {"ap": 65.0, "ap50": 90.0, "box_ap50": 95.0, "pa_mpjpe_mm": 33.0},
    "boxes": BOXES,
    "postures": {
        "supine": {"photos": 4, "ap": 71.5, "interval": [60.0, 80.0], "ap_own_boxes": 62.5}
    },
    "skin": {"dark": {"photos": 3, "ap": 60.5, "interval": [50.0, 70.0], "ap_own_boxes": 51.5}},
    "rotations": {
        "90": {"ap": 64.0, "change": -1.0, "ap_own_boxes": 53.25, "change_own_boxes": -1.75}
    },
    "yardstick": {"mean pose": {"pa_mpjpe_mm": 47.0}},
    "counts": {"photos": 9},
}


def write(folder, content):
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def folders(tmp_path):
    alarms = {
        "protocol": "detector",
        "data": {"dataset": "coco", "split": "all"},
        "clean": {"false_alarm_rate": 3.0, "carer_recall": None, "mistaken_rate": 4.5},
        "counts": {"frames": 75, "frames_without_infant": 60},
    }
    fewer = {**PHOTOS, "boxes": {"true": {"ap": 40.0, "interval": [35.0, 45.0]}}}
    return {
        "photos": write(tmp_path / "photos", PHOTOS),
        "less": write(tmp_path / "less", fewer),
        "coco": write(tmp_path / "coco", alarms),
    }


def test_everything_has_its_place(folders, tmp_path):
    output = tmp_path / "real.json"
    arguments = [str(folders["photos"]), f"--mix=synthetic={folders['less']}"]
    arguments += [f"--detector=coco={folders['coco']}", f"--generated={folders['photos']}"]
    assert main(["photos", *arguments, f"--output={output}"]) == 0
    record = json.loads(output.read_text())
    assert (record["ap"], record["box_ap50"], record["pa_mpjpe_mm"]) == (65.0, 95.0, 33.0)
    assert record["interval"] == [60.0, 70.0] and record["boxes"] == BOXES
    mix = record["source_mix"]["synthetic"]
    assert mix.pop("made_by")["weights"] == {"name": "x"}
    assert mix == {"ap": 40.0, "interval": [35, 45], "photos": 9}
    assert record["made_by"]["detectors"]["coco"]["data"]["dataset"] == "coco"
    assert record["false_alarm_rate"] == {"coco": 3.0} and record["carer_recall"] == {}
    assert record["generated_postures"] == record["postures"] == PHOTOS["postures"]
    assert record["rotations"]["90"]["change"] == -1


def test_the_report_has_a_table_of_everything(folders, tmp_path):
    (tmp_path / "results").mkdir()
    output = tmp_path / "results" / "real.json"
    arguments = [str(folders["photos"]), f"--mix=synthetic={folders['less']}"]
    arguments += [f"--detector=coco={folders['coco']}", f"--generated={folders['photos']}"]
    main(["photos", *arguments, f"--output={output}"])
    tables = record_tables(Results(output.parent).photos["real"])
    text = "\n".join(table.markdown(3) for table in tables)
    for said in ("71.5", "60.5", "53.2", "-1.8", "33.0", "47.0", "| synthetic | 9 | 40.0 |"):
        assert said in text, said
    assert "| coco | 75 | 60 | 3.0 | 4.5 | - |" in text and len(tables) == 8
    begin, end = PHOTO_MARKS
    page = with_tables(f"a\n{begin}\nold 99.9\n{end}\nz\n", Results(output.parent), tmp_path)
    assert text in page and "99.9" not in page and page.startswith("a\n") and page.endswith("z\n")
    assert with_tables(page, Results(output.parent), tmp_path) == page
    with pytest.raises(DataError, match="needs one line"):
        with_tables("a page", Results(output.parent), tmp_path)


@pytest.mark.parametrize(("photos", "more"), [("coco", []), ("photos", ["--detector=a=less"])])
def test_another_kind_of_evaluation_is_one_line(folders, tmp_path, capsys, photos, more):
    more = [text.replace("less", str(folders["less"])) for text in more]
    assert main(["photos", str(folders[photos]), *more, f"--output={tmp_path / 'real.json'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_scores_of_a_network_alone_are_no_evaluation(tmp_path, capsys):
    alone = {key: PHOTOS[key] for key in ("protocol", "boxes", "counts")}
    folder = write(tmp_path / "score", alone)
    assert main(["photos", str(folder), f"--output={tmp_path / 'real.json'}"]) == 2
    assert "evaluate syrip" in capsys.readouterr().err
