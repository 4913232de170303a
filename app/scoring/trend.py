"""The trend: how much more of an item is liked lately than its long-run popularity promised, in logs.

    trend(i, t) = ln( (d_i + 1) / (p_i d + 1) )      d_i = sum over likes of i before t of 2^(-age / half_life)

with d the sum of all d_i, and p_i the item's share of the training events, as in the prior. Beside the whole prior it
makes of the long-run share the recent one, as far as there are recent likes to tell of it: the 1 is a like's worth of
doubt. Where nothing happened lately it is 0 for every item, and so it fades by itself when the events stop coming.

It is one column of the index, rewritten as likes come in; everything else in the index is as training left it.
"""

import numpy as np

from app.domain import FloatArray, IntArray


def trend(lately: FloatArray, share: FloatArray) -> FloatArray:
    """lately: (..., N) decayed likes d_i of each item. share: (N,) long-run shares p_i. Gives (..., N)."""
    expected = share * lately.sum(axis=-1, keepdims=True)
    return np.asarray(np.log1p(lately) - np.log1p(expected), dtype=np.float32)


def decay(age_s: IntArray, half_life_days: float) -> FloatArray:
    """What a like of that age counts: 1 now, a half after the half-life."""
    return np.asarray(np.exp2(-age_s / (half_life_days * 86_400)), dtype=np.float32)
