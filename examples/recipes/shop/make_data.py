"""A shop for people who cook, camp, garden and mend: 96 things, their prices, who looked and who bought."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from people import Scene, cross, write

THINGS = {
    "kitchen": ("cast iron pan", "bread tin", "pepper mill", "stock pot", "noodle bowl", "carving board"),
    "camping": ("two-person tent", "down sleeping bag", "folding stove", "head torch", "water filter", "dry bag"),
    "garden": ("hand fork", "rain gauge", "seed box", "pruning saw", "clay pot", "bird table"),
    "workshop": ("bench vice", "chisel set", "spirit level", "bit holder", "glue clamp", "tool roll"),
}
MAKERS = ("Harrow & Finch", "Ostrava Steel", "Little Heath", "Kettle Lane")

items = [
    {
        "item_id": f"sku-{number:03}",
        "name": f"{maker} {thing}",
        "topic": department,
        "blurb": f"A {thing} by {maker} for the {department}.",
        "price": 9 + 7 * (number % 17),
        "in_stock": number % 11 != 0,
        "sponsored": number % 13 == 0,
    }
    for number, department, thing, maker in cross(THINGS, MAKERS)
]

if __name__ == "__main__":
    scene = Scene(
        items=items,
        event_types={"view": 8, "add_to_cart": 3, "purchase": 2, "return": 1},
        situations={"device": ("phone", "laptop"), "season": ("spring", "summer", "winter")},
        habits={"spring": ("garden",), "summer": ("camping",), "winter": ("kitchen", "workshop")},
    )
    write(scene, Path(sys.argv[1]))
