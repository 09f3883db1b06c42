"""One WebSocket: its commands, what it watches, what it is sent."""
