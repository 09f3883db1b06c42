"""One WebSocket: its commands, the streams it watches, and the frames it sends."""
