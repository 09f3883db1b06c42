"""Texts that clients send: valid and invalid cursors and frames."""

from __future__ import annotations

from tests.specs.golden_run import STREAM_ID

REQUEST_ID = "6f1c2d3e-4a5b-4c6d-8e7f-001122334455"

LAST_EVENT_IDS = (
    f"{STREAM_ID}:-1",
    f"{STREAM_ID}:0",
    f"{STREAM_ID}:41",
    f"{STREAM_ID}:9999999999",
    f" {STREAM_ID}:7 ",
    "___________-----------:3",
    "",
    STREAM_ID,
    f"{STREAM_ID}:",
    f"{STREAM_ID}:-2",
    f"{STREAM_ID}:-0",
    f"{STREAM_ID}:+1",
    f"{STREAM_ID}:01",
    f"{STREAM_ID}:1.0",
    f"{STREAM_ID}:1e3",
    f"{STREAM_ID}:10000000000",
    f"{STREAM_ID}:1:2",
    f"{STREAM_ID}: 1",
    f"{STREAM_ID}:\u0661",
    f"{STREAM_ID}x:1",
    f"{STREAM_ID[:-1]}:1",
    f"{STREAM_ID[:-1]}+:1",
    f"{STREAM_ID[:-1]}\u00e9:1",
    ":1",
    "41",
)

AFTERS = (
    *("-1", "0", "41", "9999999999"),
    *("", " ", "-2", "-0", "+1", "01", "1.0", "1e3", "10000000000", "1 ", "1\n", "\u0661", "x"),
)

COMMANDS = (
    '{"type":"start","ref":"a1","block_type":"quiz","prompt":"Planets","options":{"questions":3},'
    f'"request_id":"{REQUEST_ID}"}}',
    '{"type":"start","block_type":"quiz","prompt":"Planets"}',
    '{"type":"start","ref":null,"block_type":"quiz","prompt":"Planets","options":null,'
    '"request_id":null}',
    f'{{"type":"start","block_type":"quiz","prompt":"","request_id":"{REQUEST_ID.upper()}"}}',
    f'{{"type":"start","block_type":"quiz","continues":"{STREAM_ID}"}}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":41}}',
    f'{{"type":"resume","stream_id":"{STREAM_ID}"}}',
    f'{{"type":"leave","stream_id":"{STREAM_ID}"}}',
    f'{{"type":"cancel","stream_id":"{STREAM_ID}"}}',
    f'{{"type":"cancel","request_id":"{REQUEST_ID}"}}',
    '{"type":"ping"}',
    ' {"type" : "ping"}\n',
    # a field is wrong
    '{"type":"start","ref":"a1","prompt":"no block"}',
    '{"type":"start","ref":"a1","block_type":7,"prompt":"x"}',
    '{"type":"start","ref":7,"block_type":"quiz","prompt":"x"}',
    '{"type":"start","ref":"a1","block_type":"quiz","prompt":"x","request_id":"not-a-uuid"}',
    '{"type":"start","ref":"a1","block_type":"quiz","prompt":"x","temperature":2}',
    '{"type":"resume","ref":"r","stream_id":"short","after":1}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":-2}}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":"1"}}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":1.5}}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":true}}',
    f'{{"type":"resume","ref":"r","stream_id":"{STREAM_ID}","after":10000000000}}',
    '{"type":"leave"}',
    '{"type":"cancel"}',
    f'{{"type":"cancel","stream_id":"{STREAM_ID}","request_id":"{REQUEST_ID}"}}',
    '{"type":"cancel","request_id":null}',
    '{"type":"ping","now":1}',
    # not a command
    "",
    "ping",
    "null",
    "[1]",
    '"ping"',
    "{}",
    '{"type":null}',
    '{"type":["ping"]}',
    '{"type":"chunk","token":"x"}',
    '{"type":"websocket.disconnect"}',
    '{"type":"ping"',
    '{"type":"ping"}{"type":"ping"}',
    '{"type":"start","block_type":"quiz","prompt":NaN}',
)
