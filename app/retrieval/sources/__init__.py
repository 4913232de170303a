"""Where candidates come from: one file a source, each proposing slots, best first. `base` says what a source is."""
