"""The floor: what this machine's Python, uvicorn and FastAPI cost before Penchant does anything.

One route that reads a JSON body of a request's size and answers one of a slate's size, in the settings of
`penchant serve`: `python tests/bench/floor.py PORT`.
"""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

ITEM = {"item_id": "50", "score": 12.3, "parts": {"text": 4.0, "id": 5.0, "context": 0.3, "prior": 3.0, "rules": 0.0}}


class Asked(BaseModel):
    user_id: str = ""
    k: int = 20


class Answered(BaseModel):
    slate_id: str
    items: list[dict[str, object]]


def create_floor() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/recommendations")
    async def answer(asked: Asked) -> Answered:
        return Answered(slate_id=asked.user_id, items=[ITEM] * asked.k)

    return app


if __name__ == "__main__":
    uvicorn.run(create_floor(), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, ws="none")
