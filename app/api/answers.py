"""Answers for the OpenAPI document to show: one Friday evening on the demonstration data, told in every operation.

User 1 is answered a slate, sees some of it and says a thing or two; then the one who runs the server looks at bundles
and experiments. Each answers the request example of its name, or of the path and query examples where there is no
body. The figures are invented; what has to add up, adds up.
"""

from typing import Any, NamedTuple

LINES = (
    '{"item_id": "night-train", "title": "Night Train to Lisbon", "categories": ["Mystery"]}\n'
    '{"item_id": "slow-boat", "title": "Slow Boat to China", "properties": {"year": 1948}}\n'
)
"""The import of the story. Its export holds the same, item by item."""

SLATE_ID = "4f1c0a9be27d5d10"
BUNDLE, BUNDLE_BEFORE = "9c41d07be2a5", "57f3a8c06d1e"
TOOK_MS = {
    "intent": 11.204,
    "eligible": 0.186,
    "retrieval": 2.025,
    "scoring": 0.276,
    "reranking": 0.253,
    "explanation": 0.204,
}

FILMS = {
    "31": ("Crimson Tide (1995)", 1995, ["Drama", "Thriller", "War"]),
    "50": ("Star Wars (1977)", 1977, ["Action", "Adventure", "Romance", "Sci-Fi", "War"]),
    "172": ("Empire Strikes Back, The (1980)", 1980, ["Action", "Adventure", "Drama", "Romance", "Sci-Fi", "War"]),
    "181": ("Return of the Jedi (1983)", 1983, ["Action", "Adventure", "Romance", "Sci-Fi", "War"]),
    "265": ("Hunt for Red October, The (1990)", 1990, ["Action", "Thriller"]),
    "286": ("English Patient, The (1996)", 1996, ["Drama", "Romance", "War"]),
    "313": ("Titanic (1997)", 1997, ["Action", "Drama", "Romance"]),
    "318": ("Schindler's List (1993)", 1993, ["Drama", "War"]),
    "357": ("One Flew Over the Cuckoo's Nest (1975)", 1975, ["Drama"]),
    "367": ("Clueless (1995)", 1995, ["Comedy"]),
    "385": ("True Lies (1994)", 1994, ["Action", "Adventure", "Comedy", "Romance"]),
    "393": ("Mrs. Doubtfire (1993)", 1993, ["Comedy"]),
    "402": ("Ghost (1990)", 1990, ["Comedy", "Romance", "Thriller"]),
    "405": ("Mission: Impossible (1996)", 1996, ["Action", "Adventure", "Mystery"]),
    "423": ("E.T. the Extra-Terrestrial (1982)", 1982, ["Children's", "Drama", "Fantasy", "Sci-Fi"]),
    "480": ("North by Northwest (1959)", 1959, ["Comedy", "Thriller"]),
    "483": ("Casablanca (1942)", 1942, ["Drama", "Romance", "War"]),
    "515": ("Boot, Das (1981)", 1981, ["Action", "Drama", "War"]),
    "550": ("Die Hard: With a Vengeance (1995)", 1995, ["Action", "Thriller"]),
    "566": ("Clear and Present Danger (1994)", 1994, ["Action", "Adventure", "Thriller"]),
    "568": ("Speed (1994)", 1994, ["Action", "Romance", "Thriller"]),
    "588": ("Beauty and the Beast (1991)", 1991, ["Animation", "Children's", "Musical"]),
    "603": ("Rear Window (1954)", 1954, ["Mystery", "Thriller"]),
    "651": ("Glory (1989)", 1989, ["Action", "Drama", "War"]),
    "655": ("Stand by Me (1986)", 1986, ["Adventure", "Comedy", "Drama"]),
}
"""Title, year and genres of MovieLens' films, by its ids."""


class Answer(NamedTuple):
    """to: name of the request example that it answers; "answer" where the request has none."""

    value: Any
    to: str = "answer"
    status: int = 200


def _shown(item_id: str) -> dict[str, Any]:
    title, year, categories = FILMS[item_id]
    return {"year": year, "title": title, "categories": categories}


def _item(item_id: str) -> dict[str, Any]:
    title, year, categories = FILMS[item_id]
    told = {"item_id": item_id, "title": title, "categories": categories, "description": ""}
    return {**told, "properties": {"year": year}, "hidden": False}


def _place(
    item_id: str, reason: dict[str, Any], source: str, parts: tuple[float, float, float, float]
) -> dict[str, Any]:
    """parts: text, id, context and prior."""
    return {
        "item_id": item_id,
        "score": round(sum(parts), 4),
        "parts": {**dict(zip(("text", "id", "context", "prior"), parts, strict=True)), "trend": 0.0, "rules": 0.0},
        "sources": [source],
        "rules": [],
        "label": "",
        "propensity": 1.0,
        "reasons": [reason],
        "properties": _shown(item_id),
    }


def _slate(places: list[dict[str, Any]], slate_id: str, rung: str, age_s: float | None) -> dict[str, Any]:
    return {
        "slate_id": slate_id,
        "items": places,
        "next": f"/v1/recommendations/next/{slate_id}",
        "served_by": {
            "bundle": BUNDLE,
            "arm": None,
            "rung": rung,
            "profile_age_s": age_s,
            "degraded": [],
            "took_ms": TOOK_MS,
            "unknown_items": [],
            "warnings": [],
        },
    }


def _listed(slate: dict[str, Any]) -> dict[str, Any]:
    """As a list of the caller's own is answered: whole, and nothing was left out before it was ranked."""
    took_ms = {stage: took for stage, took in TOOK_MS.items() if stage != "eligible"}
    return {**slate, "next": None, "served_by": {**slate["served_by"], "took_ms": took_ms}}


def _matches(interest: int, phrase: str) -> dict[str, Any]:
    evidence = {"interest": interest, "phrase": phrase}
    return {"kind": "interest", "text": f"Matches your interest in {phrase}", "evidence": evidence}


SPACE, CHASES = _matches(0, "Sci-Fi, 1980s"), _matches(1, "Action, Thriller")
FRIDAY = "weekday evening"
POPULAR = {"kind": "popular", "text": f"Popular on a {FRIDAY}", "evidence": {"part_of_week": FRIDAY}}
SUBMARINES = {
    "kind": "words",
    "text": "Close to your words: submarine thriller",
    "evidence": {"words": "submarine thriller"},
}

FIRST_PAGE = [
    _place("423", SPACE, "interests", (2.6102, 0.4217, 0.0316, 0.3508)),
    _place("568", CHASES, "interests", (2.4876, 0.3954, 0.0241, 0.3127)),
    _place("385", CHASES, "interests", (2.4411, 0.3702, 0.0198, 0.2984)),
    _place("655", SPACE, "covisited", (2.2038, 0.5126, 0.0094, 0.2419)),
    _place("318", SPACE, "popular", (1.9847, 0.4483, -0.0107, 0.4206)),
]
NEXT_PAGE = [
    _place("405", CHASES, "interests", (2.3214, 0.2861, 0.0172, 0.2015)),
    _place("550", CHASES, "interests", (2.3098, 0.2547, 0.0165, 0.1872)),
    _place("313", SPACE, "popular", (1.8625, 0.3719, 0.0058, 0.4631)),
    _place("651", SPACE, "covisited", (2.0342, 0.3984, -0.0031, 0.1906)),
    _place("357", SPACE, "popular", (1.7406, 0.4127, -0.0082, 0.3517)),
]
COMEDIES = [
    _place("402", CHASES, "interests", (1.9216, 0.2215, 0.0203, 0.2048)),
    _place("393", CHASES, "interests", (1.8702, 0.2034, 0.0187, 0.1962)),
    _place("367", CHASES, "interests", (1.7935, 0.1748, 0.0121, 0.1534)),
]
OLD_FILMS = [
    _place("483", POPULAR, "popular", (0.0, 0.0, 0.0, 1.9214)),
    _place("603", POPULAR, "popular", (0.0, 0.0, 0.0, 1.8846)),
    _place("480", POPULAR, "popular", (0.0, 0.0, 0.0, 1.8127)),
]
RANKED = [
    _place("181", SPACE, "caller", (2.7315, 0.5218, 0.0289, 0.4102)),
    _place("50", SPACE, "caller", (2.7104, 0.5094, 0.0301, 0.4217)),
    _place("588", SPACE, "caller", (1.6218, 0.1873, 0.0064, 0.2316)),
    _place("286", CHASES, "caller", (1.1027, 0.1406, -0.0192, 0.3318)),
]
FOUND = [
    _place("265", SUBMARINES, "words", (3.1496, 0.0, 0.0, 0.0)),
    _place("31", SUBMARINES, "words", (3.0871, 0.0, 0.0, 0.0)),
    _place("515", SUBMARINES, "words", (2.9425, 0.0, 0.0, 0.0)),
    _place("566", SUBMARINES, "words", (2.4108, 0.0, 0.0, 0.0)),
    _place("405", SUBMARINES, "words", (2.2963, 0.0, 0.0, 0.0)),
]

NIGHT_TRAIN = {
    "item_id": "night-train",
    "title": "Night Train to Lisbon",
    "categories": ["Mystery", "Romance"],
    "description": "A teacher leaves his life to follow a dead writer's trail through Lisbon.",
    "properties": {"year": 2013, "poster": "posters/night-train.jpg"},
    "hidden": False,
}
TYPES = {"year": "number", "filmed_at": "geo", "available_until": "time"}
STARTED = {
    "job_id": "224148f5a3e4c9eb",
    "state": "running",
    "n_lines": 2,
    "n_done": 0,
    "n_created": 0,
    "n_replaced": 0,
    "n_failed": 0,
    "errors": [],
    "started_at": "2025-06-06T20:02:11.148078Z",
    "finished_at": None,
}
IMPORTED = {
    **STARTED,
    "state": "done",
    "n_done": 2,
    "n_created": 1,
    "n_replaced": 1,
    "finished_at": "2025-06-06T20:02:11.413206Z",
}

SEEN = {
    "slate_id": SLATE_ID,
    "item_id": "50",
    "title": "Star Wars (1977)",
    "verdict": "seen",
    "text": "Star Wars (1977) is not in the slate: the user has met it already. By its score it would rank 2nd",
    "position": None,
    "rank": 2,
    "n_eligible": 1410,
    "score": 3.6716,
    "served_score": None,
    "gap": 0.8287,
    "parts": {"text": 2.7104, "id": 0.5094, "context": 0.0301, "prior": 0.4217, "trend": 0.0, "rules": 0.0},
    "phrases": ["Sci-Fi, 1980s", "Adventure, 1970s"],
    "evidence": [
        {
            "event_id": "demo-2",
            "item_id": "172",
            "title": "Empire Strikes Back, The (1980)",
            "at": "2025-06-06T20:10:00Z",
            "score": 3.2905,
            "rank": 5,
            "rank_fall": 3,
            "text": "Without Empire Strikes Back, The (1980) this would rank 5th, not 2nd",
        }
    ],
    "context": {
        "part": 0.0301,
        "open_score": 3.6415,
        "open_rank": 2,
        "text": "In no context at all it would rank 2nd too",
    },
    "remedies": [
        {
            "kind": "seen",
            "text": "Ask with what was seen allowed: it would rank 2",
            "change": {"seen": "always"},
            "rank": 2,
            "enters": True,
        }
    ],
    "reproduced": True,
    "bundle": BUNDLE,
}
INTERESTS = [
    {
        "label": "Sci-Fi, 1980s",
        "phrases": ["Sci-Fi, 1980s", "Adventure, 1970s"],
        "weight": 0.62,
        "polarity": "positive",
        "confidence": 0.93,
        "last_seen_at": "2025-06-06T20:10:00Z",
        "edit": None,
        "evidence": [
            {
                "event_id": "demo-2",
                "item_id": "172",
                "title": "Empire Strikes Back, The (1980)",
                "at": "2025-06-06T20:10:00Z",
                "effect": 0.2036,
            }
        ],
        "evidence_method": "leave_one_out",
    }
]
SAID = [
    {"op": "more", "phrase": "heist with a twist", "at": "2025-06-06T20:41:03.576488Z", "items_removed": None},
    {"op": "less", "phrase": "Horror", "at": "2025-06-06T20:41:03.576488Z", "items_removed": None},
]


def _standing(item_id: str, worth: float, events: int) -> dict[str, Any]:
    return {"item_id": item_id, "worth": worth, "events": events, "properties": _shown(item_id)}


def _event_type(
    name: str, weight: float, full_weight: float | None = None, *, scale: float | None = None, is_history: bool = True
) -> dict[str, Any]:
    told = {"name": name, "weight": weight, "full_weight": full_weight, "scale": scale, "half_life_days": None}
    return {**told, "is_history": is_history, "is_refusal": weight < 0}


def _placement(name: str, version: int, at: str, **rules: Any) -> dict[str, Any]:
    told = {
        "description": "",
        "k": 20,
        "sources": None,
        "filter": None,
        "pins": {},
        "caps": {},
        "max_per_category": None,
        "sponsored": None,
        "diversity": 0.0,
        "novelty": 0.0,
        "exploration": 0.0,
        "diversifier": "dpp",
    }
    return {"name": name, "version": version, "changed_at": at, "rules": {**told, **rules}}


HOME_TOP = _placement("home-top", 1, "2025-06-06T09:00:12.112532Z", k=12, diversity=0.3, max_per_category=4)
HOME = [
    _placement("home", 1, "2025-06-06T09:03:40.157444Z", k=10, diversity=0.3, max_per_category=3, exploration=0.1),
    _placement("home", 2, "2025-06-06T09:05:02.190705Z", k=8, sources={"trending": 100}, description="Trending now"),
]


def _bundle(version: str, *, active: bool, seed: int) -> dict[str, Any]:
    return {
        "version": version,
        "active": active,
        "serving": active,
        "dataset": "ml100k",
        "dataset_digest": "675f6a80875bb93bc727927d164b1f15adbeb2b88c62fab8c5539bbe03b9abb7",
        "recipe": "cpu",
        "protocol": "loo",
        "seed": seed,
        "text_model": "minilm",
        "user_model": "smollm2",
        "n_items": 1681,
        "interests": 4,
        "history_events": 100,
    }


RUNNING, SPARE = _bundle(BUNDLE, active=True, seed=0), _bundle(BUNDLE_BEFORE, active=False, seed=1)
DETAILS = {
    **RUNNING,
    "files": {
        "card.md": {"sha256": "a3d63c50e1bf9368fde1735f7fdb964de2fd81fe669fcb1a8903dddd85925b5f", "size_bytes": 2104},
        "index.faiss": {
            "sha256": "7eb8c5a22c48f96daeb1f67bc2ea33292b61a210d56dd90849c0b1db78d2cca9",
            "size_bytes": 437365,
        },
    },
    "card": "# Bundle 9c41d07be2a5\n",
    "metrics": {"test": {"ndcg@10": 0.1251}},
}


def _arm(name: str, diversity: float | None = None) -> dict[str, Any]:
    knobs = {"diversity": diversity, "novelty": None, "exploration": None}
    return {"share": 1.0, "bundle": None, "placement": None, **knobs, "name": name}


EXPERIMENT = {
    "arms": [_arm("a"), _arm("b", 0.3)],
    "running": True,
    "placements": [],
    "traffic": 0.5,
    "success_types": [],
    "effect": 0.02,
    "confidence": 0.95,
    "max_days": 28,
    "about": "",
    "name": "mixed-slates",
    "started_at": "2025-06-06T09:10:21.293114Z",
}
WITH_EVERYBODY = {**EXPERIMENT, "traffic": 1.0, "started_at": "2025-06-06T09:12:48.372542Z"}
RESULTS = {
    "arms": [
        {
            "name": "a",
            "slates": 2870,
            "units": 1204,
            "successes": 253,
            "rate": 0.2101,
            "difference": None,
            "interval": None,
            "verdict": "base",
        },
        {
            "name": "b",
            "slates": 2791,
            "units": 1187,
            "successes": 274,
            "rate": 0.2308,
            "difference": 0.0207,
            "interval": {"low": -0.0264, "high": 0.0678},
            "verdict": "undecided",
        },
    ],
    "balanced": True,
    "may_stop": False,
    "why": "Undecided: go on.",
    "stop_rules": [
        "An arm's interval of the difference to the first arm excludes zero: it is better, or worse, and you may stop."
    ],
}
READY = {"status": "ready", "checks": {"bundle": BUNDLE, "device": "cpu", "items": "1683", "interest_cache": "redis"}}
UNKNOWN_ITEM = {
    "type": "/problems/unknown-item",
    "title": "No such item",
    "status": 404,
    "about": "The catalogue holds no such item: it never did, or it was deleted.",
    "retry_after_s": None,
}

ANSWERS: dict[str, tuple[Answer, ...]] = {
    "recommend": (
        Answer(_slate(FIRST_PAGE, SLATE_ID, "fresh", 0.003519), "known user"),
        Answer(
            {
                "validate_only": True,
                "eligible_items": 16,
                "boosted_items": [],
                "unknown_items": [],
                "unknown_properties": [],
            },
            "check",
        ),
    ),
    "recommend_next": (Answer(_slate(NEXT_PAGE, "30f27f82e15059c3", "cached", 41.537676)),),
    "recommend_batch": (
        Answer(
            {
                "slates": [
                    _slate(FIRST_PAGE[:3], "8ba0603312255d6c", "cached", 42.570078),
                    _slate(COMEDIES, "5eeab7117493ba1a", "cached", 42.572629),
                    _slate(OLD_FILMS, "ec239cc03b9e9d51", "popular", None),
                ]
            },
            "start page",
        ),
    ),
    "rank": (Answer(_listed(_slate(RANKED, "119bc76e4c1f513e", "cached", 58.642114)), "known user"),),
    "search": (Answer({**_slate(FOUND, "c5d0549936db05b1", "fresh", None), "next": None}, "words"),),
    "explain_place": (Answer(SEEN),),
    "record_events": (Answer({"stored": 1, "duplicates": 0, "conflicts": [], "off_scale": []}, "like"),),
    "list_event_types": (
        Answer(
            {
                "types": [
                    _event_type("view", 0.2, 0.5),
                    _event_type("like", 1.0),
                    _event_type("rating", 0.6, scale=5.0),
                    _event_type("hide", -1.0),
                    _event_type("impression", 0.0, is_history=False),
                ],
                "unknown": _event_type("", 0.3),
            }
        ),
    ),
    "get_item": (Answer(_item("50")),),
    "put_item": (Answer(NIGHT_TRAIN, "film"), Answer(NIGHT_TRAIN, "film", 201)),
    "patch_item": (Answer({**_item("50"), "hidden": True}, "hide"),),
    "import_items": (Answer(STARTED, status=202),),
    "get_import": (Answer(IMPORTED),),
    "get_property_schema": (Answer({"properties": TYPES}),),
    "put_property_schema": (Answer({"properties": TYPES, "misfits": {}}, "film"),),
    "list_similar_items": (
        Answer(
            {
                "item_id": "50",
                "items": [
                    {
                        "item_id": "172",
                        "score": 0.9312,
                        "parts": {"text": 0.4705, "behaviour": 0.4607},
                        "properties": _shown("172"),
                    },
                    {
                        "item_id": "181",
                        "score": 0.9148,
                        "parts": {"text": 0.4682, "behaviour": 0.4466},
                        "properties": _shown("181"),
                    },
                ],
                "rung": None,
                "degraded": [],
            }
        ),
    ),
    "list_similar_users": (
        Answer(
            {
                "user_id": "1",
                "users": [
                    {"user_id": "916", "likeness": 0.3178, "shared_items": 118},
                    {"user_id": "864", "likeness": 0.2994, "shared_items": 104},
                ],
            }
        ),
    ),
    "get_interests": (Answer({"user_id": "1", "interests": INTERESTS, "edits": []}),),
    "edit_interests": (Answer({"user_id": "1", "edits": SAID}, "less and more"),),
    "merge_user": (
        Answer(
            {
                "user_id": "1",
                "from_user_id": "session-31c2",
                "moved": {"events": 7, "impressions_and_searches": 3, "slates": 4, "interest_edits": 0},
            },
            "session",
        ),
    ),
    "erase_user": (
        Answer(
            {
                "receipt_id": "1845fc86c144a053",
                "user_id": "visitor-7",
                "erased_at": "2025-06-06T21:15:40.646237Z",
                "rows": {
                    "events": 12,
                    "impressions_and_searches": 5,
                    "slates": 6,
                    "interest_edits": 1,
                    "merged_ids": 0,
                    "merged_into": 0,
                    "history_marks": 0,
                    "interest_cache": 1,
                },
                "incomplete": {},
            }
        ),
    ),
    "list_popular": (
        Answer(
            {
                "items": [_standing("50", 487.2, 579), _standing("181", 402.6, 488)],
                "since": "1997-09-20T03:05:10Z",
                "until": "2025-06-06T20:30:00Z",
            }
        ),
    ),
    "list_trending": (
        Answer(
            {
                "items": [_standing("313", 6.2841, 21), _standing("286", 3.9105, 14)],
                "since": "2025-06-03T20:30:00Z",
                "until": "2025-06-06T20:30:00Z",
            }
        ),
    ),
    "list_fresh": (
        Answer(
            {
                "items": [
                    {
                        "item_id": "slow-boat",
                        "worth": 1_749_240_131.191,
                        "events": 0,
                        "properties": {"year": 1948, "title": "Slow Boat to China", "categories": []},
                    }
                ],
                "since": "1997-09-20T03:05:10Z",
                "until": "2025-06-06T20:02:11Z",
            }
        ),
    ),
    "read_map": (
        Answer(
            {
                "bundle": BUNDLE,
                "share": [0.1140, 0.1070],
                "items": [
                    {"item_id": "50", "title": FILMS["50"][0], "categories": FILMS["50"][2], "x": -0.4332, "y": 0.5253},
                    {"item_id": "286", "title": FILMS["286"][0], "categories": FILMS["286"][2], "x": 0.3783, "y": -0.2},
                ],
                "interests": [
                    {"label": "Sci-Fi, 1980s", "source": "interests", "x": -0.4018, "y": 0.4871, "nearest": ["50"]}
                ],
                "n_items": 1683,
                "degraded": [],
            }
        ),
    ),
    "list_placements": (Answer({"placements": [HOME[1], HOME_TOP]}),),
    "create_placement": (Answer(HOME_TOP, "home", 201),),
    "get_placement": (Answer(HOME[1]),),
    "list_placement_versions": (Answer({"versions": HOME[::-1]}),),
    "put_placement": (Answer(HOME[0], "varied", 201), Answer(HOME[1], "trending")),
    "list_bundles": (Answer({"bundles": [SPARE, RUNNING]}),),
    "get_bundle": (Answer(DETAILS),),
    "verify_bundle": (Answer({"version": BUNDLE_BEFORE, "files": 18, "bytes": 184_021_950, "took_s": 1.102}),),
    "activate_bundle": (Answer({"version": BUNDLE, "before": BUNDLE_BEFORE, "warmed_users": 600, "took_s": 4.474}),),
    "roll_back_bundle": (Answer({"version": BUNDLE_BEFORE, "before": BUNDLE, "warmed_users": 600, "took_s": 4.523}),),
    "shadow_bundle": (
        Answer({"version": BUNDLE_BEFORE, "share": 0.1, "since": "2025-06-06T20:45:59.845730Z"}, "a tenth"),
    ),
    "get_shadow_report": (
        Answer(
            {
                "version": BUNDLE_BEFORE,
                "share": 0.1,
                "compared": 412,
                "overlap": 0.6214,
                "overlap_se": 0.0087,
                "correlation": 0.7132,
                "served_ms": {"p50": 14.21, "p95": 31.06},
                "shadow_ms": {"p50": 15.87, "p95": 35.4},
            }
        ),
    ),
    "list_experiments": (Answer({"experiments": [EXPERIMENT]}),),
    "create_experiment": (Answer(EXPERIMENT, "diversity", 201),),
    "get_experiment": (Answer(EXPERIMENT),),
    "put_experiment": (Answer(WITH_EVERYBODY, "diversity"), Answer(WITH_EVERYBODY, "diversity", 201)),
    "get_experiment_results": (Answer(RESULTS),),
    "read_online_metrics": (
        Answer(
            {
                "since": "2025-06-05T21:00:00Z",
                "until": "2025-06-06T21:00:00Z",
                "groups": [
                    {
                        "at": "2025-06-05T21:00:00Z",
                        "placement": None,
                        "arm": None,
                        "bundle": None,
                        "slates": 5661,
                        "users": 611,
                        "click_rate": 0.2204,
                        "item_click_rate": 0.0312,
                        "shown_click_rate": 0.16,
                        "conversion_rate": 0.0187,
                        "coverage": 0.4281,
                        "took_ms": {"p50": 14.03, "p95": 30.41},
                    }
                ],
            }
        ),
    ),
    "live": (Answer({"status": "alive"}),),
    "ready": (Answer(READY),),
    "healthy": (Answer(READY),),
    "list_problem_types": (Answer([UNKNOWN_ITEM]),),
    "get_problem_type": (Answer(UNKNOWN_ITEM),),
}
"""By operation id. Of lists only the first few are shown."""
