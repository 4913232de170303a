"""The README's pictures of the console, taken anew: `make pictures`. Not a test.

An invented catalogue and invented people, both seeded; trained in minutes, served, and photographed in a real Chromium,
light and dark: on a Saturday evening the family sits down, and the children say what they want.
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(REPOSITORY / "examples/recipes")]

# ruff: noqa: E402 - the folders above hold what is imported here
from chromium import open_chromium
from e2e.server import Server
from people import Scene, write
from PIL import Image
from playwright.sync_api import Browser, expect
from rich.console import Console
from tiny import build_tiny

from app.offline.dataset import read_dataset
from app.offline.fetch import fetch_base_model
from app.offline.recipes import get_recipe
from app.offline.workshop import Models

FILMS = {
    "Music": "The Piano Tuner's Debt|The Cellar Choir|Blue Room Sessions|Uncle Otto's Orchestra|The Night Shift Choir|"
    "Half a Duet|A Cello for Winter|Three Chords in Porto|The Last Gramophone|Brass on Sunday",
    "Mystery": "Midnight Archive|The Ninth Guest|Low Tide, High Window|The Quiet Ledger|Eleven Keys|No Witness in Tarn|"
    "The Glass Ferry|A Letter Without a Stamp|The Clockmaker's Alibi|Fog over Pier Six",
    "Science fiction": "Orbit Nine|The Borrowed Sun|Signal from Lowell|Rust and Starlight|Borrowed Gravity|"
    "Slow Comet|A Garden on Titan|The Eighth Continent|Machines That Dream|Return to Kepler",
    "Comedy": "Clockwork Hen|The Worst Wedding Band|Lost Luggage|My Landlord the Poet|Half a Sandwich|"
    "The Mayor's Goose|Two Left Shoes|An Honest Salesman|The Great Jam Scandal|Neighbours, Unfortunately",
    "Family": "Otter and the Moon|The Paper Zoo|Grandmother's Balloon|Two Snails North|The Smallest Dragon|"
    "A Hat for the Bear|Captain Puddle|The Kite That Stayed|Nine Sleepy Lions|Snow in July",
    "Documentary": "The Salt Road|Nine Lighthouses|Below the Ice|A River Counted|The Bread Makers|Hands of Wool|"
    "What the Bees Know|Cities at Four|The Long Harvest|A Map of Silence",
}
FLAVOURS = ("slow and thoughtful", "fast and funny", "dark", "tender", "strange and bright")
SITUATIONS = {"device": ("phone", "tv"), "company": ("alone", "family")}
HABITS = {"phone": ("Documentary",), "tv": ("Mystery", "Science fiction"), "family": ("Family", "Comedy")}

SIZE, SCALE = {"width": 1440, "height": 1010}, 1.5
MOST_BYTES = 300_000
SETTLE_MS = 2_500  # an answer with its evidence comes, and its rows have glided to their places
RECIPE = get_recipe("fast")
USER = "person-7"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bundle, data_dir = train(Path(folder))
        with Server(bundle, data_dir, redis_url="memory://") as server, open_chromium() as browser:
            for scheme in ("light", "dark"):
                path = REPOSITORY / f"docs/images/console-{scheme}.webp"
                path.write_bytes(as_webp(photograph(browser, server.url, scheme)))


def films() -> list[dict[str, object]]:
    told = [(genre, title) for genre, titles in FILMS.items() for title in titles.split("|")]
    return [
        {
            "item_id": f"f{number:02}",
            "name": title,
            "topic": genre,
            "blurb": f"A {FLAVOURS[number % len(FLAVOURS)]} {genre.lower()} film.",
            "minutes": 80 + number % 50,
            "year": 1970 + number * 7 % 55,
        }
        for number, (genre, title) in enumerate(told, 1)
    ]


def train(folder: Path) -> tuple[Path, Path]:
    """Bundle and data folder. PENCHANT_DATA_DIR, or `var`, is where the base model is looked for and kept."""
    scene = Scene(
        films(), {"play": 8, "finish": 6, "like": 2, "stop_early": 1}, SITUATIONS, HABITS, people=240, steps=16
    )
    write(scene, folder)
    recipe, kept = REPOSITORY / "examples/recipes/video", folder / "var"
    settings = {"PENCHANT_CONFIG_FILE": str(recipe / "settings.toml"), "PENCHANT_DATA_DIR": str(kept)}
    tables = (str(folder / "events.csv"), str(folder / "items.csv"))
    for words in (
        ("clean", *tables, "--name", "films", "--mapping", str(recipe / "mapping.toml")),
        ("load", "films"),
    ):
        command = [sys.executable, "-m", "app.cli", "data", *words]
        subprocess.run(command, env={**os.environ, **settings}, check=True)
    model = fetch_base_model(Path(os.environ.get("PENCHANT_DATA_DIR", "var")), Console())
    return build_tiny(read_dataset(kept / "data/films"), Models(model, model), folder, RECIPE), kept


def photograph(browser: Browser, url: str, scheme: Any) -> bytes:
    context = browser.new_context(viewport=SIZE, device_scale_factor=SCALE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{url}/console/")
    page.get_by_label("User id").fill(USER)
    page.get_by_label("Measure evidence").check()
    page.get_by_role("radio", name="Sat").check(force=True)
    page.get_by_label("Hour").fill("21")
    page.get_by_label("Feature name").fill("company")
    page.get_by_label("Feature value").fill("family")
    page.wait_for_timeout(SETTLE_MS)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_timeout(SETTLE_MS)
    page.get_by_label("Steer it, this once").fill("animals, for children")
    page.wait_for_timeout(SETTLE_MS)
    expect(page.locator(".answer[aria-busy=false] .ranked li").nth(9)).to_be_visible()
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.mouse.move(2, 2)
    taken = page.screenshot()
    context.close()
    return taken


def as_webp(png: bytes) -> bytes:
    """The best that keeps within MOST_BYTES."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(92, 50, -6):
        kept = io.BytesIO()
        picture.save(kept, "WEBP", quality=quality, method=6)
        if kept.tell() <= MOST_BYTES:
            return kept.getvalue()
    raise ValueError(f"no quality down to 50 keeps the picture within {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
