"""Process-wide parts: the log, the hub, the stream manager, and their periodic tasks.

Nothing starts at import. `ensure_started` creates them on the first request or lifespan event, one
set for each event loop. So they work alike under uvicorn, Daphne, `runserver` and tests.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models.signals import post_delete

from blocks.catalog import models_in_use
from blocks.errors import GenerationError
from blocks.fresh import FRESH_SECONDS
from blocks.providers.registry import ProviderConfig, ProviderPool
from blocks.sample import sample_providers

from .access.old_attempts import forget_old_attempts
from .access.owners import UserId
from .admission.capacity import Capacity
from .admission.one_each import DELETIONS_AT_MOST, EXPORTS_AT_MOST, PREVIEWS_AT_MOST, OneEach
from .admission.rates import StartRates
from .admission.replays import Replays
from .admission.sockets import SocketPlaces
from .admission.tokens import Tokens
from .admission.turns import FINDS_AT_MOST, TURNS_AT_MOST, Turns
from .database import store
from .database.housekeeping import tidy
from .database.joining import joined
from .database.outage import Outage
from .database.thread import DatabaseThread
from .event_log.base import LogUnavailable
from .event_log.registry import make_event_log
from .generating.abandonment import WATCHED_SECONDS, Abandonment
from .generating.ended_rights import EndedRights
from .generating.liveness import BEAT_SECONDS, Liveness
from .generating.recovery import Recovery
from .generating.running import Generations
from .generating.starting import Starter
from .generating.worker_watch import WorkerWatch, look_at_workers
from .loop.every import every
from .loop.pace import Pace
from .loop.spare_memory import SpareMemory
from .loop.standing import StandingTasks
from .models import Stream
from .stream_manager import StreamManager
from .switches import Switches, current_switches
from .watching.connections import Connections
from .watching.finder import Finder
from .watching.hub import Hub

if TYPE_CHECKING:
    from .generating.queue import Queue

logger = logging.getLogger(__name__)

IDLE_FEED_SECONDS = 60.0
ENDED_FEED_SECONDS = 10.0
"""Short, since frames take more memory than the log they are built from, and rebuild quickly."""

LOG_UNREACHABLE_SECONDS = 3.0
"""Shorter or occasional outages of the log are ignored: leases outlast them."""

RIGHTS_SECONDS = 2.0
"""How often the sessions behind open connections are checked."""

PLACES_SECONDS = 10.0
"""How often this process reports the socket places it holds to the others."""

MODELS_SECONDS = 5.0
"""How often the models of the block types are read again, to close the providers of others."""

_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Process]]
_processes = WeakKeyDictionary()


async def ensure_started() -> Process:
    """Return this loop's process, and start it if needed. Safe to call repeatedly, concurrently."""
    loop = asyncio.get_running_loop()
    starting = _processes.get(loop)
    if starting is None or (starting.done() and (starting.cancelled() or starting.exception())):
        # A separate context: the tasks started here outlive the first request.
        starting = loop.create_task(Process.begin(), context=contextvars.Context())
        _processes[loop] = starting
    return await asyncio.shield(starting)


async def stop() -> None:
    """Stop this loop's process, if there is one."""
    starting = _processes.pop(asyncio.get_running_loop(), None)
    if starting is not None:
        await (await starting).aclose()


class Process:
    """The running parts of one process. `begin` creates them, `aclose` releases them."""

    def __init__(self, *, is_worker: bool = False) -> None:
        now = time.monotonic
        has_workers = settings.AI_STREAMING_RUNNER == "worker"
        self._generates = is_worker or not has_workers
        self.liveness = Liveness(settings.VAR_DIR / "processes", is_worker=is_worker)
        self.workers = None if self._generates else WorkerWatch(now=now)
        outage = Outage()
        self.writes = DatabaseThread("stream-writes", outage)
        self.keeping = DatabaseThread("stream-keeping", outage)
        # Socket commands of clients must not delay the heartbeat on `keeping`.
        self.asking = DatabaseThread("stream-asking", outage)
        self.own_data = DatabaseThread("stream-own-data", outage)  # whole histories
        self.deletions = OneEach(DELETIONS_AT_MOST, now=now)
        self.exports = OneEach(EXPORTS_AT_MOST, now=now)
        self.previews = OneEach(PREVIEWS_AT_MOST, now=now)
        self.providers = ProviderPool(ProviderConfig.from_settings())
        for model, provider in sample_providers().items():
            self.providers.use(model, provider)
        redis_url, prefix = settings.REDIS_URL, settings.REDIS_PREFIX
        self.log = make_event_log(
            redis_url,
            prefix=prefix,
            keep_seconds=settings.STREAM_LOG_SECONDS,
            keep_bytes=settings.STREAM_LOG_BYTES,
            now=now,
        )
        self.queue: Queue | None = None
        if is_worker or has_workers:
            from .generating.queue import Queue  # on demand: a single process needs none

            self.queue = Queue(redis_url, prefix=prefix, generate=self._generate)
        pace = Pace(most_seconds=settings.STREAM_MAX_ROUND_MS / 1000)
        self.hub = Hub(self.log, now=now, round_seconds=pace.seconds)
        process_id = self.liveness.process_id
        capacity = Capacity.from_settings(has_line=not has_workers)
        finder = Finder(hub=self.hub, db=self.writes)
        self.generations = Generations(
            process_id=process_id,
            log=self.log,
            hub=self.hub,
            providers=self.providers,
            db=self.writes,
            # A worker has no line of its own: the queue has bounds and a deadline already.
            capacity=Capacity(settings.STREAM_MAX_RUNNING) if has_workers else capacity,
            wait_seconds=(
                settings.STREAM_DEADLINE_SECONDS if has_workers else settings.STREAM_WAIT_SECONDS
            ),
            deadline_seconds=settings.STREAM_DEADLINE_SECONDS,
            on_taken_over=lambda stream_id: self.manager.taken_over(stream_id),
            now=now,
        )
        self.recovery = Recovery(
            process_id=process_id,
            log=self.log,
            db=self.writes,
            hub=self.hub,
            generations=self.generations,
            providers=self.providers,
            max_events=settings.STREAM_MAX_EVENTS,
            max_running=settings.STREAM_MAX_RUNNING,
            deadline_seconds=settings.STREAM_DEADLINE_SECONDS,
            may_generate=self._generates,
        )
        self.rates = StartRates(url=settings.REDIS_URL, prefix=settings.REDIS_PREFIX, now=now)
        starter = Starter(
            process_id=process_id,
            log=self.log,
            hub=self.hub,
            finder=finder,
            generations=self.generations,
            db=self.writes,
            queue=None if self._generates else self.queue,
            workers=self.workers,
            layer=get_channel_layer(),
            capacity=capacity,
            rates=self.rates,
            max_events=settings.STREAM_MAX_EVENTS,
            drain_seconds=settings.STREAM_DRAIN_SECONDS,
        )
        self.manager = StreamManager(
            process_id=process_id,
            log=self.log,
            hub=self.hub,
            finder=finder,
            generations=self.generations,
            recovery=self.recovery,
            db=self.writes,
            starter=starter,
            drain_seconds=settings.STREAM_DRAIN_SECONDS,
            now=now,
        )
        self._ended_rights = EndedRights(self.generations, self.writes, forget=self.manager.forget)
        self.abandonment = Abandonment(
            log=self.log,
            hub=self.hub,
            generations=self.generations,
            cancel=self.manager.store_intent,
            abandon_seconds=settings.STREAM_ABANDON_SECONDS,
            is_short=lambda: self.generations.is_short(capacity),
            now=now,
        )
        self.connections = Connections(
            db=self.keeping,
            max_age_seconds=settings.STREAM_MAX_AGE_SECONDS,
            now=now,
            viewers_per_owner=settings.LIMIT_VIEWERS_PER_OWNER,
        )
        self.turns = Turns(TURNS_AT_MOST)
        self.finds = asyncio.Semaphore(FINDS_AT_MOST)
        self.replays = Replays(settings.LIMIT_REPLAYED_EVENTS_PER_SECOND, now=now)
        self.tokens = Tokens(now=now)
        self.sockets = SocketPlaces(
            per_owner=settings.LIMIT_SOCKETS_PER_OWNER,
            per_address=settings.LIMIT_SOCKETS_PER_ADDRESS,
            process_id=process_id,
            shared=self.log.places(),
        )
        self.switches: Switches
        self._loop: asyncio.AbstractEventLoop
        self.on_switches: set[Callable[[Switches], None]] = set()
        self._now = now
        self.tasks = StandingTasks()

    @classmethod
    async def begin(cls, *, is_worker: bool = False) -> Process:
        process = cls(is_worker=is_worker)
        try:
            await process.keeping.run(process.liveness.begin)
            process.switches = await process.keeping.run(current_switches)
            process.generations.obey(process.switches)
            await process.log.begin(process.generations.cancel)
            await process._recover()
        except BaseException:
            process.liveness.unlock()
            await process.generations.aclose()
            await process.log.aclose()
            await process.rates.aclose()
            if process.queue is not None:
                await process.queue.aclose()
            for thread in (process.writes, process.keeping, process.asking):
                await thread.aclose()
            raise
        process._loop = asyncio.get_running_loop()
        post_delete.connect(process._row_deleted, sender=Stream)
        joined.connect(process._streams_joined)
        works = [
            process.generations.saver.run(),
            every(BEAT_SECONDS, process._beat),
            every(BEAT_SECONDS, process.generations.keep_leases),
            every(BEAT_SECONDS, process.generations.look_for_intents),
            every(BEAT_SECONDS, process.generations.look_for_owners),
            every(BEAT_SECONDS, process._ended_rights.look),
            every(BEAT_SECONDS, process._recover),
            every(WATCHED_SECONDS, process.abandonment.mark_watched),
            every(FRESH_SECONDS, process._follow_rows),
            # A task of its own: the heartbeats of connections must not wait for other work.
            every(1.0, process._sweep),
            every(1.0, process.abandonment.look),
            every(RIGHTS_SECONDS, process.connections.check_rights),
            every(PLACES_SECONDS, process.sockets.keep),
            # Separate tasks: the failure of one must not stop the others.
            every(MODELS_SECONDS, process._tidy_models),
            every(60.0, process._tidy_limits),
            every(1.0, SpareMemory(process.keeping.run).tidy),
            every(60.0, partial(tidy, process.keeping)),
            every(60.0, partial(process.keeping.run, forget_old_attempts)),
        ]
        if process.workers is not None:
            works.append(every(BEAT_SECONDS, process._watch_workers))
        once = [process.providers.warm(settings.AI_MODEL)] if process._generates else []
        process.tasks.start(works, once=once)
        return process

    def now(self) -> float:
        """Seconds, monotonic."""
        return self._now()

    def is_demo_model(self, model: str) -> bool:
        """Whether a model is a demo model, which shows that the site works but knows little."""
        try:
            return self.providers.get(model).is_demo
        except GenerationError:
            return False

    async def drain(self) -> None:
        """Let running streams end, then make every connection reconnect."""
        await self.manager.drain()
        self.connections.dismiss()
        await self.connections.closed()

    async def drain_at_once(self) -> None:
        """Drain without waiting for running streams."""
        await self.manager.stop()
        self.connections.dismiss()
        await self.connections.closed()

    async def aclose(self) -> None:
        post_delete.disconnect(self._row_deleted, sender=Stream)
        joined.disconnect(self._streams_joined)
        await self.manager.stop()  # first, because ends need the saver
        await self.tasks.aclose()
        await self.manager.aclose()
        self.hub.close()
        await self.log.aclose()
        await self.rates.aclose()
        if self.queue is not None:
            await self.queue.aclose()
        await self.providers.aclose()
        try:
            await self.keeping.run(self.liveness.end)
        except Exception:
            logger.exception("Deregistering the process failed; others will find it dead.")
        await self.writes.aclose()
        await self.keeping.aclose()
        await self.asking.aclose()
        await self.own_data.aclose()
        await self.tokens.aclose()

    def _row_deleted(self, instance: Stream, **_: object) -> None:
        """Forget a deleted stream. Runs on the thread that deletes, e.g. of an admin request."""
        self._loop.call_soon_threadsafe(self.manager.forget, instance.pk)

    def _streams_joined(self, user_id: UserId, stream_ids: list[str], **_: object) -> None:
        """Tell a user's other devices. Runs on the thread of the sign-in."""
        self._loop.call_soon_threadsafe(self.manager.joined, user_id, stream_ids)

    async def _beat(self) -> None:
        # Without the log this process can't renew leases: stop the heartbeat too, so that other
        # processes take its streams over.
        if self.log.unreachable_seconds < LOG_UNREACHABLE_SECONDS:
            self.liveness.model_trouble = self.generations.model.trouble
            await self.keeping.run(self.liveness.beat)

    async def _watch_workers(self) -> None:
        assert self.workers is not None
        self.workers.note(await self.keeping.run(look_at_workers))

    async def _recover(self) -> None:
        if self.manager.is_draining:
            return
        # If workers generate, they recover orphans; web processes only end streams that no worker
        # has taken in time.
        find = self.liveness.find_orphans if self._generates else self._find_overdue
        await self.recovery.look(find, self.recovery.take_over)

    def _find_overdue(self, running: Collection[str]) -> list[str]:
        return store.overdue(self.liveness.find_orphans(running))

    async def _generate(self, stream_id: str) -> None:
        """Generate a stream from the queue, in a worker; returns when it has ended here."""
        if self.manager.is_draining:
            return  # another worker finds the stream
        try:
            await self.recovery.take_over(stream_id)
        except (LogUnavailable, DatabaseError, InterfaceError) as error:
            logger.warning(
                "Stream %s can't be taken over yet (%s).", stream_id, type(error).__name__
            )
        if generation := self.generations.find(stream_id):
            await generation.has_ended.wait()

    async def follow_switches(self) -> None:
        """Obey the switches as they are now. Called twice a second, and by the admin's form."""
        switches = await self.keeping.run(current_switches)
        self.generations.obey(switches)
        if switches != self.switches:
            self.switches = switches
            for on_switches in list(self.on_switches):
                on_switches(switches)

    async def _follow_rows(self) -> None:
        await self.follow_switches()
        await self.manager.finder.poll()

    async def _sweep(self) -> None:
        self.connections.check()
        self.hub.sweep(idle_seconds=IDLE_FEED_SECONDS, ended_seconds=ENDED_FEED_SECONDS)
        await self.log.sweep()

    async def _tidy_models(self) -> None:
        """Close the providers that no enabled block type and no running stream uses."""
        if self.providers.models <= {settings.AI_MODEL}:
            return
        in_use = await self.keeping.run(models_in_use)
        running = {generation.spec.model for generation in self.generations.all()}
        await self.providers.keep(in_use | running)

    async def _tidy_limits(self) -> None:
        await self.rates.sweep()
        self.replays.sweep()
        self.tokens.sweep()
