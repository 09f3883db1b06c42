"""The streams that a process knows, and the connections that watch or resume them."""
