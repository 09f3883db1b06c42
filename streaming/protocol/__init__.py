"""The stream protocol as pure code: events, their legal order, viewers' frames and state reduction.

No framework, socket, clock or task; the one dependency beyond the standard library is msgspec.

Source of truth: specs/050-live-ai-interaction/spec.md.
"""
