"""Clients of the admin panel, and answers to count."""

from __future__ import annotations

from tests.streaming.conftest import operator, staff  # noqa: F401 (fixtures)
