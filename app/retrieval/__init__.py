"""Interest vectors to candidates: the served index of items, and the merging of what each query row finds."""
