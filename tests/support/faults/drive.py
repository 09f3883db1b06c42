"""Runs many streams at once through dropped connections, then reads the truth and checks it.

histories = await drive(service, plans, seed=seed, drops=3)
await add_truth(service, histories, upstream)
give_verdict(histories, seed=seed, folder=tmp_path)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.faults.checker import check_all
from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.history import StreamHistory, Viewing, write_histories
from tests.support.faults.plan import Plan
from tests.support.faults.upstream_server import UpstreamServer

_READERS = 20  # concurrent readers of the truth


async def drive(
    service: Service,
    plans: Iterable[Plan],
    *,
    seed: int,
    drops: int = 3,
    viewers: int = 1,
    transports: str = "sw",
    block: str = "ask-question",
    within_bytes: int = 4_000,
    over_seconds: float = 0.0,
    deadline_seconds: float = 60.0,
    on_start: Callable[[Plan, str], None] | None = None,
) -> list[StreamHistory]:
    """Start a stream for each plan, and watch each to its end.

    Args:
        viewers: of each stream; all of them start with the same `request_id`, at the same time.
        over_seconds: the starts are spread evenly over this time; 0: all at once.
        deadline_seconds: of each stream, from its own start.
        on_start: called with a plan and the id of its stream, once for each viewer.

    Returns:
        Histories in the order of the plans, without `log`, `row` and `calls`: see `add_truth`. All
            randomness derives from the seed and a plan's key.
    """

    async def one(plan: Plan, after_seconds: float) -> StreamHistory:
        await asyncio.sleep(after_seconds)
        start = start_of(plan.prompt, random.Random(f"{seed}/{plan.key}"), block)

        def tell(stream_id: str) -> None:
            if on_start is not None:
                on_start(plan, stream_id)

        viewings = await asyncio.gather(
            *(
                watch_to_the_end(
                    service,
                    start,
                    rng=random.Random(f"{seed}/{plan.key}/{number}"),
                    name=f"{plan.key}/{number}",
                    transports=transports,
                    drops=drops,
                    within_bytes=within_bytes,
                    deadline_seconds=deadline_seconds,
                    on_start=tell,
                )
                for number in range(viewers)
            )
        )
        return StreamHistory(
            stream_id=next(filter(None, map(stream_of, viewings)), ""),
            viewings=viewings,
            request_id=start.request_id,
            prompt=start.prompt,
            expected_text=plan.text if plan.size and not plan.quiz else None,
        )

    todo = list(plans)
    return await asyncio.gather(
        *(one(plan, over_seconds * number / len(todo)) for number, plan in enumerate(todo))
    )


def stream_of(viewing: Viewing) -> str:
    """Return the stream that a viewer's `start` event named; empty if none."""
    return next((e["stream_id"] for e in viewing.events if e["type"] == "start"), "")


async def add_truth(
    service: Service, histories: list[StreamHistory], upstream: UpstreamServer | None = None
) -> None:
    """Read the service's own record after the run.

    It consists of each log from its beginning, each row, and the number of upstream calls.
    Histories without a known stream id stay unchanged.
    """
    turns = asyncio.Semaphore(_READERS)

    async def one(history: StreamHistory) -> None:
        async with turns:
            reader = await watch_to_the_end(
                service,
                stream_id=history.stream_id,
                rng=random.Random(history.stream_id),
                name="log",
                transports="s",
                deadline_seconds=20.0,
            )
            history.log = reader.events
            history.row = await service.visitor().snapshot(history.stream_id)

    await asyncio.gather(*(one(history) for history in histories if history.stream_id))
    if upstream is not None:
        stats = await asyncio.to_thread(upstream.stats)
        for history in histories:
            key = Plan.found_in(history.prompt).key
            history.calls = stats[key].calls if key in stats else 0


def give_verdict(histories: list[StreamHistory], *, seed: int, folder: Path) -> None:
    """Check the histories.

    Raises:
        AssertionError: an invariant was breached. The message names the seed, and the file in
            `folder` with all histories.
    """
    breaches = check_all(histories)
    if not breaches:
        return
    path = folder / f"histories-{seed}.jsonl"
    write_histories(path, histories, seed=seed)
    shown = "\n".join(map(str, breaches[:20]))
    raise AssertionError(f"{len(breaches)} breaches with seed {seed}, see {path}:\n{shown}")
