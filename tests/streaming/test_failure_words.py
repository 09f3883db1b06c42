"""Visitors read plain messages; the operator's details are in the log."""

from __future__ import annotations

import logging

import pytest

from blocks.models import BlockType
from streaming.process import Process
from tests.conftest import MakeBlock, StartProcess
from tests.support.streaming.browser import Browser

TELLTALE = ["AI_", "HTTP ", "/", ".gguf", "127.0.0.1", "scripted", "pip "]


@pytest.mark.parametrize(
    "model",
    [
        "scripted:none",
        "scripted:../x",
        "local:nothing",
        "local:/etc/passwd.gguf",
        "local:none.gguf",
        "nonsense",
        "openai:any",
    ],
)
async def test_a_model_that_can_not_be_used_shows_visitors_nothing_of_the_site(
    start_process: StartProcess,
    make_block: MakeBlock,
    model: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Nothing listens on port 9 of this machine.
    process: Process = await start_process(AI_BASE_URL="http://127.0.0.1:9/v1", AI_RETRIES=0)
    block: BlockType = await make_block(model=model)
    browser = Browser()
    await browser.call("GET", "/api/config")
    caplog.set_level(logging.INFO)
    reader = await browser.start(block.slug)
    end = await reader.end()
    assert end["type"] == "error"
    assert not [word for word in TELLTALE if word in end["message"]]
    said = [r.getMessage() for r in caplog.records if reader.stream_id in r.getMessage()]
    assert len([line for line in said if "failed:" in line]) == 1
    assert process.generations.find(reader.stream_id) is None
    await browser.aclose()
