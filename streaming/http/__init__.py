"""Shared parts of the HTTP calls: request reading, coded errors, handed-over responses."""
