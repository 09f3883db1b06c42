"""Limits per owner and per address on starts, running streams, sockets and replays."""
