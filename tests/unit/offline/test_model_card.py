import re
from pathlib import Path

from app.bundle import open_bundle
from app.offline.model_card import write_card
from app.offline.split import Protocol


def test_a_card_tells_what_the_bundle_is_and_how_good(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    card = write_card(bundle, "| NDCG@10 | 0.5 |")
    assert card.startswith(f"# Bundle {bundle.version}\n")
    for told in (
        "60 items of the data set `tiny`",
        f"digest `{bundle.manifest.dataset_digest[:12]}`",
        "tiny-bert, tuned by LoRA, projected to 16 dimensions",
        "tiny-llama, 1 layers, read causally, 2 interests, last 12 events",
        "8 dimensions",
        "| tiny, 0 |",
        "text block 6, ID block 15",
    ):
        assert told in card
    assert card.rstrip().endswith("| NDCG@10 | 0.5 |")


def test_the_blend_is_told_as_it_is_served(tiny_bundle: Path) -> None:
    card = write_card(open_bundle(tiny_bundle), "")
    (row,) = re.findall(r"\| Blend, chosen on validation \| (.*) \|", card)
    assert re.fullmatch(
        r"half_life_days [\d.]+, id [\d.]+, prior [\d.]+, shrink [\d.]+, text [\d.]+, trend [\d.]+", row
    )


def test_a_card_holds_no_gap(tiny_bundle: Path) -> None:
    card = write_card(open_bundle(tiny_bundle), "none")
    assert "None" not in card
    assert "{" not in card
    assert Protocol.LEAVE_ONE_OUT.value in card
