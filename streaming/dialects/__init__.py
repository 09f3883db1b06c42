"""Other projects' protocols over the same feeds: AI SDK, AG-UI, OpenAI's chat completions.

Encoders are pure. Views are thin: they read a body, and start, watch and stop as our own API does.
Decision: specs/050-live-ai-interaction/decisions/049-dialects.md
"""
