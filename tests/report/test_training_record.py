"""What stages cost and began with is collected from a chain's folder."""

import json

from report.build.__main__ import main
from report.build.training_record import curve, record

STAGE = {"name": "1-a", "minutes": 2.5, "summary": {"steps": 4}, "begins_with": {}, "made": {}}


def test_time_adds_up_over_sessions(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "step,epoch,minutes,name,value\n"
        "1,0,1.0,loss,9\n2,0,2.0,validation_loss,5\n"
        "3,1,0.5,loss,4\n4,1,1.5,validation_loss,3\n"
    )
    assert curve(log) == {"minutes": [2.0, 3.5], "value": [5.0, 3.0]}


def test_finished_stages_are_recorded(tmp_path, capsys):
    chain = tmp_path / "best"
    (chain / "1-a").mkdir(parents=True)
    (chain / "2-b").mkdir()
    assert main(["chains", str(chain), "--output", str(tmp_path / "chains.json")]) == 2
    assert "no finished stage" in capsys.readouterr().err
    (chain / "1-a" / "stage.json").write_text(json.dumps(STAGE))
    assert main(["chains", str(chain), "--output", str(tmp_path / "chains.json")]) == 0
    assert json.loads((tmp_path / "chains.json").read_text()) == {"best": [STAGE]}
    other = chain.rename(tmp_path / "real")
    assert main(["chains", str(other), "--output", str(tmp_path / "chains.json")]) == 0
    assert json.loads((tmp_path / "chains.json").read_text()) == {"best": [STAGE], "real": [STAGE]}
    chain = other
    (chain / "1-a" / "log.csv").write_text("step,epoch,minutes,name,value\n")
    assert record(chain)[0]["curve"] == {"minutes": [], "value": []}


def test_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main(["chains", str(tmp_path / "none"), "--output", str(tmp_path / "x.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
