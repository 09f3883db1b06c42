"""Clients that know nothing of us, on our own API: each starts, resumes and stops.

The proxy really breaks their connections. docs/dialects.md has the table.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import httpx_sse
import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from tests.dialects.conftest import Site
from tests.support.faults.fault_proxy import FaultProxy
from tests.support.guides.browser import chromium

BRIEF = "Please speak briefly."
BRIEF_ANSWER = "tick " * 20
A_SECOND = "Please speak for a second."
ANSWER = "tick " * 50
FOR_EVER = "Please speak for ever."
START = "/api/stream/ai-block/ask-question"


@pytest_asyncio.fixture
async def proxy(site: Site) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(int(site.url.rpartition(":")[2])) as proxy:
        yield proxy


def test_httpx_sse_starts_resumes_and_stops_by_our_own_api(site: Site) -> None:
    start = f"{site.url}/api/stream/ai-block/ask-question"

    def events(client: httpx.Client, method: str, url: str, **more: Any) -> Iterator[Any]:
        with httpx_sse.connect_sse(client, method, url, **more) as source:
            yield from source.iter_sse()

    with httpx.Client(headers=site.headers) as client:
        received = []
        for event in events(client, "POST", start, json={"prompt": BRIEF}):
            received.append(event)
            if len(received) == 4:
                break  # closes the connection
        stream_id = json.loads(received[0].data)["stream_id"]
        url = f"{site.url}/api/streams/{stream_id}"
        last = {"Last-Event-ID": received[-1].id}
        rest = list(events(client, "GET", f"{url}/events", headers=last))
        chunks = [event for event in [*received, *rest] if event.event == "chunk"]
        assert "".join(json.loads(event.data)["token"] for event in chunks) == BRIEF_ANSWER
        assert rest[-1].event == "complete"
        endless = events(client, "POST", start, json={"prompt": FOR_EVER})
        endless_id = json.loads(next(endless).data)["stream_id"]
        client.post(f"{site.url}/api/streams/{endless_id}/cancel")
        assert [event.event for event in endless][-1] == "cancelled"


# --- EventSource, the browser's own --------------------------------------------------------------

OPEN = """
([start, prompt, closes]) => {
  const held = { text: '', ids: [], streams: [], types: [], opened: 0, lost: 0, end: null };
  const source = new EventSource(`${start}?${new URLSearchParams({ prompt })}`);
  source.onopen = () => { held.opened += 1; };
  source.onerror = (event) => { if (!('data' in event)) held.lost += 1; };
  for (const type of ['start', 'chunk', 'complete', 'cancelled', 'error', 'reset', 'snapshot']) {
    source.addEventListener(type, (event) => {
      if (!('data' in event)) return;
      const data = JSON.parse(event.data);
      held.types.push(type);
      if (type === 'start') held.streams.push(data.stream_id);
      if (type === 'chunk') {
        held.text += data.token;
        held.ids.push(event.lastEventId);
      }
      if (['complete', 'cancelled', 'error'].includes(type)) {
        held.end = type;
        if (closes) source.close();
      }
    });
  }
  Object.assign(window, { held, source });
}
"""
CANCEL = """
async () => {
  const { csrf_token } = await (await fetch('/api/config')).json();
  const headers = { 'X-CSRFToken': csrf_token };
  const path = `/api/streams/${held.streams[0]}/cancel`;
  return (await fetch(path, { method: 'POST', headers })).status;
}
"""
LISTED = "async () => (await (await fetch('/api/streams')).json()).results.length"


@pytest_asyncio.fixture
async def page(proxy: FaultProxy) -> AsyncIterator[Page]:
    """A page of the site, opened through the proxy by an anonymous visitor."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        # `wait_for_function` evaluates texts, which the site's pages forbid.
        page = await browser.new_page(bypass_csp=True)
        await page.goto(f"http://127.0.0.1:{proxy.port}/licenses")
        yield page
        await browser.close()


async def test_an_event_source_comes_back_by_itself_and_is_told_when_to_stop(
    page: Page, proxy: FaultProxy
) -> None:
    await page.evaluate(OPEN, [START, A_SECOND, False])
    await page.wait_for_function("held.ids.length > 4")
    await proxy.refuse()  # so its first try to come back fails, as while a server restarts
    proxy.reset()
    await page.wait_for_function("held.lost >= 2 && source.readyState === EventSource.CONNECTING")
    assert await page.evaluate("held.end") is None
    await proxy.accept()
    # It does not close itself at the end. Its next request gets 204, after which it asks no more.
    await page.wait_for_function("held.end && source.readyState === EventSource.CLOSED")
    held = await page.evaluate("held")
    assert (held["text"], held["end"]) == (ANSWER, "complete")
    assert held["opened"] == held["types"].count("start") == 2
    assert len(set(held["ids"])) == len(held["ids"])  # nothing came twice
    assert len(set(held["streams"])) == await page.evaluate(LISTED) == 1


async def test_an_event_source_that_closes_at_the_end_asks_no_more_and_a_cancel_ends_it(
    page: Page, proxy: FaultProxy
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate(OPEN, [START, FOR_EVER, True])
    await page.wait_for_function("held.ids.length > 4")
    proxy.cut()
    await page.wait_for_function("held.opened === 2 && held.types.at(-1) === 'chunk'")
    assert await page.evaluate(CANCEL) == 200
    await page.wait_for_function("source.readyState === EventSource.CLOSED")
    held = await page.evaluate("held")
    assert (held["end"], len(set(held["streams"]))) == ("cancelled", 1)
    assert held["text"].startswith("on and on on and on ")
    assert sum(START in url for url in asked) == 2


# --- websockets ------------------------------------------------------------------------------


async def _said(socket: ClientConnection, *wanted: str) -> list[dict[str, Any]]:
    """Read until an event of one of these types; return all of them."""
    received: list[dict[str, Any]] = []
    while not received or received[-1]["type"] not in wanted:
        received.append(json.loads(await socket.recv()))
    return received


async def test_websockets_starts_resumes_and_stops(site: Site, proxy: FaultProxy) -> None:
    def open_socket() -> connect:
        url = f"ws://127.0.0.1:{proxy.port}/ws/stream"
        return connect(url, subprotocols=["liveai", f"liveai.token.{site.token}"])  # type: ignore[list-item]

    def started(prompt: str) -> str:
        asked = {"type": "start", "ref": "1", "block_type": "ask-question", "prompt": prompt}
        return json.dumps(asked)

    async with open_socket() as socket:
        assert socket.subprotocol == "liveai"
        await socket.send(started(A_SECOND))
        received = [*await _said(socket, "chunk"), *await _said(socket, "chunk")]
        proxy.reset()
        with pytest.raises(ConnectionClosedError):
            received += await _said(socket, "complete")
    chunks = [event for event in received if event["type"] == "chunk"]
    last = chunks[-1]
    async with open_socket() as socket:
        resume = {
            "type": "resume",
            "ref": "2",
            "stream_id": last["stream_id"],
            "after": last["seq"],
        }
        await socket.send(json.dumps(resume))
        while json.loads(await socket.recv()).get("ref") != "2":
            pass  # a stream that runs is also announced, before its events are ours
        chunks += [event for event in await _said(socket, "complete") if event["type"] == "chunk"]
        assert "".join(event["token"] for event in chunks) == ANSWER
        await socket.send(started(FOR_EVER))
        stream_id = (await _said(socket, "chunk"))[-1]["stream_id"]
        await socket.send(json.dumps({"type": "cancel", "stream_id": stream_id}))
        assert (await _said(socket, "cancelled"))[-1]["stream_id"] == stream_id
