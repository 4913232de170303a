"""matplotlib for pictures that are committed: SVG, and the same picture gives the same bytes."""

from pathlib import Path
from typing import Any


def open_pyplot() -> Any:
    """pyplot, set to write SVG. Imported here, not above: it takes a second."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "penchant"
    from matplotlib import pyplot as plt

    return plt


def save_svg(plt: Any, figure: Any, path: Path) -> None:
    """Write it without the date, and let its memory go."""
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
