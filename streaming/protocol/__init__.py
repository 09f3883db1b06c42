"""The protocol of a stream, pure: what an event is, which order is legal, what a viewer must be
sent, how state follows from events. Standard library only: no framework, socket, clock or task.

Source of truth: specs/050-live-ai-interaction/spec.md.
"""
