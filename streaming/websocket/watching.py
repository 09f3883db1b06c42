"""The streams that one socket watches: its position in each, and the frames that are due."""

from __future__ import annotations

from ..loop.bell import Bell
from ..metrics.counted import RESUMES, VIEWERS
from ..protocol import events
from ..protocol.frames import RETRY_MS, encode_websocket
from ..protocol.viewer import Viewer
from ..watching.hub import Feed

_VIEWERS, _RESUMES = VIEWERS.labels("websocket"), RESUMES.labels("websocket")


class Watching:
    """The viewers of one socket, by stream.

    Args:
        bell: the feeds ring it for new events.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._streams: dict[str, tuple[Feed, Viewer]] = {}

    def begin(self, feed: Feed, viewer: Viewer) -> None:
        """Watch a stream from the viewer's position; replaces an earlier viewer of it."""
        feed.attach(self._bell)
        if feed.stream_id not in self._streams:
            _VIEWERS.inc()
        if viewer.cursor >= 0:
            _RESUMES.inc()
        self._streams[feed.stream_id] = (feed, viewer)
        self._bell.ring()

    def leave(self, stream_id: str) -> None:
        if watched := self._streams.pop(stream_id, None):
            _VIEWERS.dec()
            watched[0].detach(self._bell)

    def leave_all(self) -> None:
        for stream_id in self.ids():
            self.leave(stream_id)

    def viewer(self, stream_id: str) -> Viewer | None:
        watched = self._streams.get(stream_id)
        return None if watched is None else watched[1]

    def ids(self) -> list[str]:
        return list(self._streams)

    def has_request(self, request_id: object) -> bool:
        """Whether it watches the stream of a start that may be repeated."""
        return request_id is not None and any(
            feed.row.request_id == request_id for feed, _ in self._streams.values()
        )

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, stream_id: str) -> bool:
        return stream_id in self._streams

    def take_in_step(self) -> list[bytes] | None:
        """Take the pending frames if every stream runs and is in step; return None otherwise."""
        watched = self._streams.values()
        if len(watched) == 1:
            ((feed, viewer),) = watched
            return None if feed.is_gone else viewer.json_in_step()
        for feed, viewer in watched:
            if feed.is_gone or not viewer.is_in_step:
                return None
        ready: list[bytes] = []
        for _, viewer in watched:
            ready += viewer.json_in_step() or ()
        return ready

    def take(self) -> list[str]:
        """Take the pending frames of each stream, and drop streams that have ended.

        Rings the bell if a stream has more frames than one call may take.
        """
        ready: list[str] = []
        has_ended = False
        for feed, viewer in self._streams.values():
            if frames := viewer.take():
                ready += [frame.websocket for frame in frames]
                if viewer.has_more:
                    self._bell.ring()
                elif viewer.is_done:
                    has_ended = True
            elif feed.is_gone or viewer.is_done:
                has_ended = True
        if has_ended:
            self._drop_ended(ready)
        return ready

    def _drop_ended(self, ready: list[str]) -> None:
        for stream_id, (feed, viewer) in list(self._streams.items()):
            if viewer.is_done:
                self.leave(stream_id)
            elif feed.is_gone and not viewer.has_news:
                ready.append(encode_websocket(events.reconnect(stream_id, retry_ms=RETRY_MS)))
                self.leave(stream_id)
