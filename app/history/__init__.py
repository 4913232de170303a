"""Events kept: the durable log (`store`) and what an event is worth (`weights`)."""
