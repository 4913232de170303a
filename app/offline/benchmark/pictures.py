"""Pictures of the benchmark as SVG: learning curves, and quality by how well known the target is."""

from pathlib import Path

from app.offline.benchmark.contestants import OURS
from app.offline.benchmark.summary import Arena
from app.offline.evaluate import DEPTHS
from app.offline.svg import open_pyplot, save_svg

ACCENT, GREY = "#c2410c", "#78716c"
FREQUENCIES = {"frequency_0": "0", "frequency_1_5": "1 to 5", "frequency_6_20": "6 to 20", "frequency_21_up": "21+"}
COMPARED = ("markov_text", "sasrec_ce_time", "penchant_text", OURS)


def draw_curves(path: Path, arena: Arena) -> None:
    """Validation NDCG@10 epoch by epoch of every learned contestant's blocks, seed 0. Without one, no picture."""
    learned = [(result.contestant, result.runs[0].curves) for result in arena.results if result.runs[0].curves]
    lines = [(f"{name}, {block}", curve) for name, curves in learned for block, curve in curves.items()]
    if not lines:
        return
    plt = open_pyplot()
    figure, panel = plt.subplots(figsize=(7, 4), layout="constrained")
    seen: set[tuple[float, ...]] = set()
    for name, curve in lines:
        if tuple(curve) in seen:  # the blocks of ours are contestants too
            continue
        seen.add(tuple(curve))
        panel.plot(range(1, len(curve) + 1), curve, "o-", markersize=3, label=name)
    panel.set(xlabel="epoch", ylabel=f"validation NDCG@{DEPTHS[0]}", title=arena.place)
    panel.set_ylim(bottom=0)
    panel.legend(fontsize=8, frameon=False)
    save_svg(plt, figure, path)


def draw_frequencies(path: Path, arena: Arena) -> None:
    """NDCG@10 by training events of the target, a few rankers side by side."""
    shown = [result for result in arena.results if result.contestant in COMPARED]
    kinds = [name for name in FREQUENCIES if arena.questions.slices[name].any()]
    if not shown or not kinds:
        return
    plt = open_pyplot()
    figure, panel = plt.subplots(figsize=(7, 4), layout="constrained")
    width = 0.8 / len(shown)
    for place, result in enumerate(shown):
        told = [result.measured[f"ndcg{DEPTHS[0]}.{name}"] for name in kinds]
        errors = [
            [estimate.value - estimate.low for estimate in told],
            [estimate.high - estimate.value for estimate in told],
        ]
        panel.bar(
            [kind + (place - (len(shown) - 1) / 2) * width for kind in range(len(kinds))],
            [estimate.value for estimate in told],
            width,
            yerr=errors,
            error_kw={"elinewidth": 0.8, "ecolor": GREY},
            label=result.contestant,
            color=ACCENT if result.contestant == OURS else None,
        )
    panel.set_xticks(range(len(kinds)), [FREQUENCIES[name] for name in kinds])
    panel.set(xlabel="training events of the target", ylabel=f"NDCG@{DEPTHS[0]}", title=arena.place)
    panel.legend(fontsize=8, frameon=False)
    save_svg(plt, figure, path)
