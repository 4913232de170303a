"""Which bundle answers: decided once, durably, and followed by every process without a request failing."""
