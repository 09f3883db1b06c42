"""How answers are delivered. `stream_manager.py` has the calls of all transports.

- Start: `generating/starting.py`.
- Watch and resume: `watching/finder.py` finds the stream, and `protocol/viewer.py` decides what a
  viewer is sent after its cursor.
- Cancel: `StreamManager.cancel` stores an intent, and `generating/running.py` carries it out.
- Take-over: `generating/recovery.py` finds orphans, and continues or ends them.
- Drain and hand-over: `StreamManager.drain`, then `generating/running.py`.

CONTRIBUTING.md has a map of the folders and a glossary.
"""
