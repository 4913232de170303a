from pathlib import Path

import pytest

from app.offline.build import point_current
from app.offline.demo import _HINT, prepare_demo
from app.settings import Settings


def test_a_bundle_of_other_data_is_left_as_it_is(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `docker compose up` finds it after a training on data of one's own."""
    current, data_dir = tmp_path / "artifacts/current", tmp_path / "var"
    current.parent.mkdir()
    point_current(current, tiny_bundle)
    prepare_demo(Settings(bundle_dir=current, data_dir=data_dir), "fast", 0)
    assert current.resolve() == tiny_bundle.resolve()
    assert not data_dir.exists()
    assert "is a bundle of tiny, not of the demo" in " ".join(capsys.readouterr().out.split())


def test_the_demo_names_the_console() -> None:
    assert "http://here/console" in _HINT.format(url="http://here")
