"""Items kept: the durable catalogue and its change feed (`store`), an item as JSON (`codec`) and as text (`text`)."""
