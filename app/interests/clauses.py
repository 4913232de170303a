"""A sentence to what it asks for and what it asks to be spared: "shorter, less crime" to ("shorter",) and ("crime",).

Signs are the rule that knows no language: "+slow -crime". The words below are English; in a language whose words are
not here every clause pulls, unless it is written with signs.
"""

import re
from dataclasses import dataclass

MAX_CLAUSES = 20

_BURYING = r"less|fewer|no more|no|not|without|never|avoid|except|nothing|don't want|do not want|-"
_PULLING = r"more|with|only|please|some|and|or|\+"
_FULL_WIDTH = "\u3001\uff0c\u3002\uff1b\uff01\uff1f"  # the stops of Chinese and Japanese
_SEPARATOR = re.compile(rf"[,;.!?\n{_FULL_WIDTH}]+|\s+(?=[+-][^\W\d_])|\b(?:but|yet)\b", re.IGNORECASE)
_NEW_SIGN = re.compile(r"\s+(?=(?:less|fewer|no|not|without|except|more)\s)", re.IGNORECASE)
_BURIES = re.compile(rf"^(?:(?:and|or|please|with|some)\s+)*(?:{_BURYING})(?:\s+|(?<=-))", re.IGNORECASE)
_BARE = re.compile(rf"^(?:{_BURYING}|{_PULLING})$", re.IGNORECASE)
_EITHER = re.compile(r"\s+(?:and|or)\s+", re.IGNORECASE)
_LEFT_OVER = re.compile(r"(?:\s+(?:and|or|with|-+))+$", re.IGNORECASE)
_FILLER = re.compile(rf"^(?:{_PULLING}|of|too|so|as|much|many|very|any|a|an|the)(?:\s+|(?<=\+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clauses:
    """What a sentence pulls towards, and what it buries: in the order said, each once, none without a letter."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]

    @property
    def phrases(self) -> tuple[str, ...]:
        """Both sides."""
        return self.wanted + self.unwanted


def read_clauses(sentence: str) -> Clauses:
    """Both sides are empty where the sentence says nothing. Past MAX_CLAUSES clauses the rest is not read."""
    wanted: list[str] = []
    unwanted: list[str] = []
    parts = [part for whole in _SEPARATOR.split(sentence) for part in _NEW_SIGN.split(whole)]
    for part in parts[:MAX_CLAUSES]:
        clause = _LEFT_OVER.sub("", part.strip())
        if buries := _BURIES.match(clause):
            unwanted += [_without_filler(each) for each in _EITHER.split(clause[buries.end() :])]
        else:
            wanted.append(_without_filler(clause))
    return Clauses(_meaningful(wanted), _meaningful(unwanted))


def _without_filler(clause: str) -> str:
    """Without the words at its start that say how, not what; all of it where nothing else is left."""
    left = clause.strip()
    while (filler := _FILLER.match(left)) and left[filler.end() :].strip():
        left = left[filler.end() :].strip()
    return left


def _meaningful(clauses: list[str]) -> tuple[str, ...]:
    return tuple(
        clause
        for clause in dict.fromkeys(clauses)
        if any(letter.isalnum() for letter in clause) and not _BARE.match(clause)
    )
