from pathlib import Path
from xml.etree import ElementTree as ET

from app.offline.learning_curve import draw_learning_curve
from app.offline.training import Epoch

CURVES = {
    "text block": [Epoch(0, 5.0, 0.1), Epoch(1, 4.0, 0.2)],
    "ID block": [Epoch(0, 6.0, 0.05)],
}


def test_a_picture_has_a_panel_a_block(tmp_path: Path) -> None:
    draw_learning_curve(tmp_path / "curve.svg", CURVES)
    picture = (tmp_path / "curve.svg").read_text()
    assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314 - our own file
    for told in ("text block", "ID block", "training loss", "validation NDCG@10", "epoch"):
        assert f"<!-- {told} -->" in picture


def test_the_same_curves_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_learning_curve(tmp_path / name, CURVES)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_other_curves_give_another_picture(tmp_path: Path) -> None:
    draw_learning_curve(tmp_path / "a.svg", CURVES)
    draw_learning_curve(tmp_path / "b.svg", {**CURVES, "ID block": [Epoch(0, 3.0, 0.05)]})
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()
