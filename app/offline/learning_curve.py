"""A run's learning curves as one picture: training loss and validation NDCG@10, epoch by epoch, a panel a block."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.offline.svg import open_pyplot, save_svg
from app.offline.training import Epoch


def draw_learning_curve(path: Path, curves: Mapping[str, Sequence[Epoch]]) -> None:
    """Write an SVG; the same curves give the same bytes."""
    plt = open_pyplot()
    figure, panels = plt.subplots(1, len(curves), figsize=(5 * len(curves), 3.2), layout="constrained")
    for panel, (name, epochs) in zip(panels, curves.items(), strict=True):
        places = [epoch.epoch + 1 for epoch in epochs]
        panel.plot(places, [epoch.loss for epoch in epochs], "o-", color="#888888", label="training loss")
        panel.set(title=name, xlabel="epoch", ylabel="loss")
        quality = panel.twinx()
        quality.plot(places, [epoch.ndcg10 for epoch in epochs], "o-", color="#c2410c", label="validation NDCG@10")
        quality.set_ylabel("NDCG@10")
        quality.set_ylim(bottom=0)
        panel.figure.legend(handles=[*panel.lines, *quality.lines], loc="outside lower center", ncols=2)
    save_svg(plt, figure, path)
