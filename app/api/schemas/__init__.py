"""The wire's shapes: JSON in, domain objects out, and back. One file a resource; what they share is in `fields`."""
