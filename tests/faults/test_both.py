"""What `Watching` accepts of viewers' connections, and what it does not."""

from __future__ import annotations

import pytest

from tests.support.faults.both import Watched, Watching
from tests.support.faults.client import Service, Start
from tests.support.faults.history import Connection, Event, Viewing
from tests.support.faults.plan import Plan
from tests.support.faults.upstream_server import UpstreamServer

CHUNK: Event = {"type": "chunk", "seq": 0, "token": "sea"}
END: Event = {"type": "complete", "seq": 1}


def connection(ended_by: str, *events: Event) -> Connection:
    return Connection("sse", 1, -1, 0.0, list(events), [0.0] * len(events), ended_by)


def watching(*connections: Connection) -> Watching:
    plan = Plan("one")
    stream = Watched(plan, 1, Start(plan.prompt), at_home=[Viewing("one/home/s", [*connections])])
    found = Watching(Service([1]), UpstreamServer(), seed=0)
    found.streams.append(stream)
    return found


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_viewer_may_be_refused_before_its_first_event(refusals: int) -> None:
    refused = [connection("http 503")] * refusals
    watching(*refused, connection("terminal", CHUNK, END)).assert_no_connection_ended()


@pytest.mark.parametrize(
    "connections",
    [
        [connection("lost", CHUNK), connection("terminal", END)],
        [connection("lost"), connection("terminal", CHUNK, END)],
        [connection("http 503", CHUNK), connection("terminal", END)],
        [connection("terminal", CHUNK, END), connection("terminal", END)],
        [connection("http 503")],
        [connection("deadline", CHUNK)],
    ],
    ids=["lost", "lost at once", "refused later", "two ends", "never served", "no end"],
)
def test_nothing_else_may_interrupt_a_viewer(connections: list[Connection]) -> None:
    with pytest.raises(AssertionError, match="one/home/s"):
        watching(*connections).assert_no_connection_ended()
