"""Django's `CHANNEL_LAYERS`: over Redis, or in the memory of a single process."""

from __future__ import annotations

from typing import Any


def channel_layers(redis_url: str, *, prefix: str) -> dict[str, Any]:
    """Return the layers for control messages; they never carry tokens.

    Args:
        redis_url: empty: in memory.
        prefix: of the keys in Redis.
    """
    if not redis_url:
        return {"default": {"BACKEND": "streaming.channel_layer.memory.MemoryChannelLayer"}}
    host = {
        "address": redis_url,
        # Seconds; below the guard's limits, so that the guard sees an error and never interrupts a
        # handshake.
        "socket_connect_timeout": 1.0,
        "socket_timeout": 1.0,
        # With protocol 3, redis-py does not check whether a pooled connection is dead. After a
        # Redis restart the first message would be lost.
        "protocol": 2,
    }
    inner = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [host], "prefix": prefix},
    }
    guard = "streaming.channel_layer.guard.GuardedChannelLayer"
    return {"default": {"BACKEND": guard, "CONFIG": {"inner": inner}}}
