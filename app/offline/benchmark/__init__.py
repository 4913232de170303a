"""The quality benchmark: one resumable run a cell (data, split, contestant, seed), and the report made of all runs."""
