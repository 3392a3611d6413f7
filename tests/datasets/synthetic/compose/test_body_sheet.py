"""The sheet of bodies."""

from PIL import Image

from Datasets.synthetic.compose.body_sheet import SIZE, VIEWS, main


def test_a_sheet_shows_each_infant_in_all_views(tmp_path, capsys):
    path = tmp_path / "bodies.png"
    assert main([str(path), "--infants", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    with Image.open(path) as sheet:
        assert sheet.size[0] > len(VIEWS) * SIZE[0] and sheet.size[1] > SIZE[1]
        assert len(sheet.convert("L").getcolors()) > 100
