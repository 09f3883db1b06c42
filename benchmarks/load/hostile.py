"""The attacks of a hostile visitor on a server; `ATTACKS` names them.

An attack comes from one address and runs until it is cancelled. It counts the responses: answers by
status, closed connections, and sockets by close code. Each attack limits its connections;
`attack_for` limits the time. Only for loopback servers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from .hostile_accounts import (
    bad_forms,
    configs,
    invitations,
    resets,
    sign_ins_by_email,
    sign_ups,
)
from .hostile_doors import chat_guesses, dialect_starts, forged_tokens, unread_dialects
from .hostile_requests import (
    endless_headers,
    half_bodies,
    plain_calls,
    search,
    sign_ins,
    slashes,
    slow_headers,
    unread_files,
)
from .hostile_streams import (
    cancel_frames,
    ping_frames,
    resume_frames,
    starts,
    starts_and_stops,
    unread_answers,
)
from .siege import Attack, Target


async def everything(target: Target) -> None:
    """Start, hold and stop answers, flood sockets with frames, and read nothing, all at once."""
    async with asyncio.TaskGroup() as group:
        for attack in (
            starts,
            starts_and_stops,
            unread_answers,
            cancel_frames,
            resume_frames,
            ping_frames,
            unread_files,
        ):
            group.create_task(attack(target))


ATTACKS: dict[str, Attack] = {
    "slashes": slashes,
    "search": search,
    "plain calls": plain_calls,
    "cancel frames": cancel_frames,
    "resume frames": resume_frames,
    "ping frames": ping_frames,
    "endless headers": endless_headers,
    "slow headers": slow_headers,
    "half bodies": half_bodies,
    "unread files": unread_files,
    "sign-ins": sign_ins,
    "sign-ins by email": sign_ins_by_email,
    "sign-ups": sign_ups,
    "password resets": resets,
    "invitations": invitations,
    "bad forms": bad_forms,
    "configs": configs,
    "starts and stops": starts_and_stops,
    "unread answers": unread_answers,
    "chat guesses": chat_guesses,
    "forged tokens": forged_tokens,
    "unread dialects": unread_dialects,
    "dialect starts": dialect_starts,
    "everything": everything,
    "starts": starts,  # last: its answers continue for half a minute
}


async def attack_for(seconds: float, name: str, target: Target) -> Counter[str]:
    """Run an attack for a limited time and return its counts."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ATTACKS[name](target)
            raise AssertionError(f"the attack {name!r} ended by itself")
    return target.met
