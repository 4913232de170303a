"""Which items may appear in an answer: a mask over the index's slots that every candidate source honours."""
