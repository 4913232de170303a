"""A slate to reasons: read off the score, or measured by leaving events out."""
