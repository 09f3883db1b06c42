"""The channel layer: what the tabs of a session tell each other; never tokens."""
