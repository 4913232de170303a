"""Do words in another language find what they ask for? `python -m app.offline.languages` asks the real stack.

A stranger says a genre in several languages, with no history and no word of the catalogue's own. Counted is the share
of the places that carry the genre as a category, in a search and in a slate. What a base model has not read it cannot
know: this tells which languages the served one knows how well. Writes docs/reports/languages.md and .json.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from app.bundle import open_bundle
from app.domain import Context, Item, Slate, SlateRequest
from app.errors import DataError
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.report_users import serve_users
from app.settings import Settings

K = 20
BREADTH = 20
AT = datetime(2024, 6, 5, 20, tzinfo=UTC)
COMMAND = "make report-languages"
GENRES = ("horror", "war", "comedy", "western", "musical", "sci-fi", "romance", "crime", "animation", "documentary")
SAID: Mapping[str, tuple[str, ...]] = {
    "English": (
        *("horror film", "war film", "comedy", "western", "musical", "science fiction", "love story"),
        *("crime thriller", "animated film", "documentary"),
    ),
    "French": (
        *("film d'horreur", "film de guerre", "comédie", "western", "comédie musicale", "science-fiction"),
        *("histoire d'amour", "film policier", "film d'animation", "documentaire"),
    ),
    "German": (
        *("Horrorfilm", "Kriegsfilm", "Komödie", "Western", "Musical", "Science-Fiction", "Liebesgeschichte"),
        *("Krimi", "Zeichentrickfilm", "Dokumentarfilm"),
    ),
    "Spanish": (
        *("película de terror", "película de guerra", "comedia", "película del oeste", "musical", "ciencia ficción"),
        *("historia de amor", "película policíaca", "película de animación", "documental"),
    ),
    "Chinese": (
        *("恐怖片", "战争片", "喜剧", "西部片", "音乐剧", "科幻", "爱情故事"),
        *("犯罪片", "动画片", "纪录片"),
    ),
}
"""Language -> how each of GENRES is said there."""


async def measure(settings: Settings) -> dict[str, float]:
    """`<language>.search`, `<language>.slate` and `chance`: means over the genres that the catalogue has, 0 to 1.

    Raises DataError where it has none of them.
    """
    async with serve_users(settings, 1) as (resources, _):
        items = resources.catalogue.items()
        known = [place for place, genre in enumerate(GENRES) if _share(items, genre)]
        if not known:
            raise DataError(f"no item has one of the categories {', '.join(GENRES)}: nothing to ask for")
        told = {
            "genres": float(len(known)),
            "chance": float(np.mean([_share(items, GENRES[place]) for place in known])),
        }
        for language, wishes in SAID.items():
            found, served = [], []
            for place in known:
                request = SlateRequest(Context(AT), K, words=wishes[place])
                found.append(_carry(await resources.recommender.search(request, BREADTH), GENRES[place]))
                served.append(_carry(await resources.recommender.recommend(request), GENRES[place]))
            told |= {f"{language}.search": float(np.mean(found)), f"{language}.slate": float(np.mean(served))}
    return told


def _carry(slate: Slate, genre: str) -> float:
    return _share([place.item for place in slate.items], genre)


def _share(items: Sequence[Item], genre: str) -> float:
    """Of the items that have the genre among their categories; 0 of none."""
    return sum(genre in {category.casefold() for category in item.categories} for item in items) / max(len(items), 1)


def write(settings: Settings, told: Mapping[str, float], folder: Path) -> None:
    manifest = open_bundle(settings.bundle_dir).manifest
    rows = [
        {"Said in": language, **{where: f"{told[f'{language}.{where}']:.1%}" for where in ("search", "slate")}}
        for language in SAID
    ]
    body = f"""\
{told["genres"]:.0f} genres, each said once in each language by somebody unknown, {K} places asked for: the mean share
of the places that carry the genre as a category. By chance it would be {told["chance"]:.1%}. A slate weighs the words
against what is popular, a search does not.

{markdown_table(pl.DataFrame(rows))}

Near chance the base model has not read the language: another is a setting, `penchant train --text-model FOLDER`.

Bundle {manifest.version}, data {manifest.dataset}, recipe {manifest.recipe}."""
    write_report(folder, "languages", "Words in other languages", COMMAND, dict(told), body)


if __name__ == "__main__":
    served = Settings()
    write(served, asyncio.run(measure(served)), REPOSITORY / "docs/reports")
