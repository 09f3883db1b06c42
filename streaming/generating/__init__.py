"""The streams that a process generates: start, lease, save, end, and take-over (`recovery.py`)."""
