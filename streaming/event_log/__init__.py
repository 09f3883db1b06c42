"""The event log: `base` defines the interface, and its siblings implement it."""
