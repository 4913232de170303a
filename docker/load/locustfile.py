"""A load that looks like people: `locust --locustfile docker/load/locustfile.py --host http://127.0.0.1:8000`.

Each simulated person asks for slates, opens an item, likes one now and then, and sometimes says a wish in words.
They know no catalogue: whatever they act on was in a slate before. Their events are stored, under the user ids `load-1`
and up, so point it at a store that may hold them. The client takes more CPU than the server on small machines: for
figures use `make bench`, for behaviour under people use this.
"""

import itertools
import os
import random
from uuid import uuid4

from locust import HttpUser, between, task

KEY = os.environ.get("PENCHANT_API_KEY", "")
WISHES = ("something light for tonight", "a quiet story", "what my children would like", "new and surprising")
people = itertools.count(1)


class Person(HttpUser):
    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        self.client.headers.update({"X-API-Key": KEY} if KEY else {})
        self.name = f"load-{next(people)}"
        self.shown: list[str] = []
        self.look()

    @task(10)
    def look(self) -> None:
        self._ask({"user_id": self.name, "k": 10})

    @task(2)
    def wish(self) -> None:
        self._ask({"user_id": self.name, "k": 10, "words": random.choice(WISHES)})

    @task(4)
    def like(self) -> None:
        if self.shown:
            liked = {
                "event_id": uuid4().hex,
                "user_id": self.name,
                "item_id": random.choice(self.shown),
                "type": "like",
            }
            self.client.post("/v1/events", json={"events": [liked]})

    @task(2)
    def open_item(self) -> None:
        if self.shown:
            self.client.get(f"/v1/items/{random.choice(self.shown)}", name="/v1/items/{item_id}")

    def _ask(self, request: dict[str, object]) -> None:
        with self.client.post("/v1/recommendations", json=request, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
                return
            self.shown = [item["item_id"] for item in answer.json()["items"]]
            if not self.shown:
                answer.failure("an empty slate")
