"""The admin panel of streams. Each of these modules registers one subject."""

from . import limits, reads, streams, switches

__all__ = ["limits", "reads", "streams", "switches"]
