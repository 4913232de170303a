"""Games, music and books in one house: 72 things, and taste that carries over from one kind to another."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from people import Scene, cross, write

WORKS = {
    "space": ("Drift Station", "Songs for a Long Orbit", "The Cartographer of Mars"),
    "folklore": ("Wolf Winter", "Ballads from the Mill", "The Girl who Married Rain"),
    "puzzle": ("Twelve Locks", "Canon in Four Rooms", "The Clockmaker's Proof"),
    "racing": ("Gravel Kings", "Engine Room", "The Last Lap"),
    "calm": ("Tea Garden", "Rain on Slate", "A Year of Small Walks"),
    "mystery": ("The Ninth Tenant", "Nocturnes for the Night Porter", "Ash on the Stairs"),
}
KINDS = ("game", "album", "book")
EDITIONS = ("", ", second edition", ", collected", ", anniversary")

items = [
    {
        "item_id": f"{kind}-{number:03}",
        "name": f"{work}{edition}",
        "topic": theme,
        "blurb": f"A {kind} about {theme}.",
        "kind": kind,
        "price": 5 + number % 40,
    }
    for number, theme, (work, kind), edition in cross(
        {theme: zip(works, KINDS, strict=True) for theme, works in WORKS.items()}, EDITIONS
    )
]

if __name__ == "__main__":
    scene = Scene(
        items=items,
        event_types={"try": 6, "play": 6, "purchase": 3, "rating_up": 2, "abandon": 2},
        situations={"device": ("console", "phone", "reader"), "company": ("alone", "friends")},
        habits={"friends": ("racing", "puzzle"), "alone": ("calm", "mystery"), "reader": ("folklore",)},
    )
    write(scene, Path(sys.argv[1]))
