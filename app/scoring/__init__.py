"""Candidates in a context to scores, and to the parts a score is the sum of: gate, popularity prior, arithmetic."""
