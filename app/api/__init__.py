"""HTTP and nothing else: one file a resource, the wire's shapes in `schemas`, every refusal in `problems`."""
