"""The signals that a site's own code may receive.

    from django.dispatch import receiver
    from liveai.signals import stream_ended

    @receiver(stream_ended)
    def bill(sender, stream_id, user_id, usage, **more): ...

`streaming/generating/end_signal.py` says what it tells, when, and when not.
"""

from streaming.generating.end_signal import stream_ended

__all__ = ["stream_ended"]
