"""A newspaper: 84 articles, new ones every day, read on the way to work and again at night."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from people import Scene, cross, write

STORIES = {
    "economy": ("ports raise their fees", "a bank for fishermen", "rents fall for once"),
    "climate": ("a dam comes down", "the year without frost", "bogs are back"),
    "sport": ("an underdog wins the cup", "the referee explains", "a record at altitude"),
    "culture": ("a museum opens at night", "the last typesetter", "translating silence"),
    "local": ("the bridge stays closed", "a school saves its orchard", "night buses return"),
    "technology": ("maps made by cyclists", "a phone that lasts", "the archive learns to search"),
    "opinion": ("in praise of slow trains", "against the open office", "why I count birds"),
}
PLACES = ("in Marren", "in the delta", "on the coast", "in the hills")

items = [
    {
        "item_id": f"n{number:03}",
        "name": f"{story[0].upper()}{story[1:]} {place}",
        "topic": desk,
        "blurb": f"{desk}: {story} {place}.",
        "published": (datetime(2025, 2, 1, 5, tzinfo=UTC) + timedelta(hours=7 * number)).isoformat(),
        "minutes": 2 + number % 9,
    }
    for number, desk, story, place in cross(STORIES, PLACES)
]

if __name__ == "__main__":
    scene = Scene(
        items=items,
        event_types={"view": 9, "read": 6, "share": 1, "hide": 1},
        situations={"device": ("phone", "laptop"), "edition": ("morning", "evening")},
        habits={"morning": ("economy", "local"), "evening": ("culture", "opinion"), "phone": ("sport",)},
    )
    write(scene, Path(sys.argv[1]))
