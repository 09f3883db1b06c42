"""Where a stream's events are kept: `base` is the interface, its siblings the implementations."""
