"""A video service: 80 films and clips, watched alone on a phone or together in front of a screen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from people import Scene, cross, write

FILMS = {
    "documentary": ("The Salt Road", "Nine Lighthouses", "Below the Ice", "A River Counted"),
    "crime": ("The Glass Ferry", "No Witness in Tarn", "The Quiet Ledger", "Eleven Keys"),
    "family": ("Otter and the Moon", "The Paper Zoo", "Grandmother's Balloon", "Two Snails North"),
    "comedy": ("The Worst Wedding Band", "Lost Luggage", "My Landlord the Poet", "Half a Sandwich"),
    "science fiction": ("Orbit Nine", "The Borrowed Sun", "Signal from Lowell", "Rust and Starlight"),
}
PARTS = ("Part One", "Part Two", "The Making Of", "Director's Cut")

items = [
    {
        "item_id": f"v{number:03}",
        "name": f"{film}: {part}",
        "topic": genre,
        "blurb": f"A {genre} film, {part.lower()} of {film}.",
        "minutes": 12 if part == "The Making Of" else 80 + number % 50,
        "year": 1998 + number % 27,
    }
    for number, genre, film, part in cross(FILMS, PARTS)
]

if __name__ == "__main__":
    scene = Scene(
        items=items,
        event_types={"play": 8, "finish": 6, "like": 2, "bookmark": 2, "stop_early": 2},
        situations={"device": ("phone", "tv"), "company": ("alone", "family")},
        habits={"family": ("family", "comedy"), "phone": ("documentary",), "tv": ("crime", "science fiction")},
    )
    write(scene, Path(sys.argv[1]))
