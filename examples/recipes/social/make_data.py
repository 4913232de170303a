"""A feed of short posts by people one might follow: 90 posts, read, liked, shared and hidden."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from people import Scene, cross, write

POSTS = {
    "running": ("my first half marathon", "shoes after 500 miles", "a hill that never ends"),
    "baking": ("sourdough in a cold kitchen", "the crumb I wanted", "rye, third attempt"),
    "cities": ("a tram line I love", "benches nobody sits on", "roof gardens by the port"),
    "music": ("a chord that stays", "street quartet at noon", "learning the cello at forty"),
    "animals": ("our shelter dog", "a heron on the bridge", "the cat that rides the lift"),
    "science": ("grinding a lens", "what moss remembers", "a comet from the balcony"),
}
AUTHORS = ("Mira", "Tomasz", "Adaeze", "Jun", "Ilse")

items = [
    {
        "item_id": f"post-{number:03}",
        "name": f"{author}: {post}",
        "topic": topic,
        "blurb": f"{author} writes about {topic}: {post}.",
        "author": author,
        "kind": ("photo", "text", "clip")[number % 3],
    }
    for number, topic, post, author in cross(POSTS, AUTHORS)
]

if __name__ == "__main__":
    scene = Scene(
        items=items,
        event_types={"view": 10, "like": 5, "share": 2, "reply": 2, "hide": 1},
        situations={"device": ("phone", "laptop"), "mood": ("commuting", "winding_down")},
        habits={"commuting": ("cities", "running"), "winding_down": ("music", "animals")},
    )
    write(scene, Path(sys.argv[1]))
