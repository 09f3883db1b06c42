"""The channel layer: messages between the tabs of a session; it never carries tokens."""
