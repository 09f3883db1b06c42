"""Attacks on the accounts' pages: forms that hash a password, send an e-mail, or take a guess.

The service under attack has `SIGN_UP=open`. A form is read once for each address and port; its
CSRF token serves for all further ones.
"""

from __future__ import annotations

import itertools
import uuid
from urllib.parse import urlencode

from .plain_http import call, session_headers
from .siege import START_PATH, Target, at_once

SIGN_UPS = 24
RESETS = 24
SIGN_INS_BY_EMAIL = 24
INVITATIONS = 100
BAD_FORMS = 24
CONFIGS = 200

FORM = "application/x-www-form-urlencoded"
PASSWORD = "correct horse battery staple"
LONG = 10_000  # characters
TOO_LARGE = 1_200_000  # bytes, over the limit of a body


async def sign_ups(target: Target) -> None:
    """Sign up with ever new names, each of which costs a hash and an e-mail."""

    async def act(target: Target) -> None:
        name = uuid.uuid4().hex[:12]
        fields = {"username": name, "email": f"{name}@example.org", "password1": PASSWORD}
        await submit(target, "/account/signup/", urlencode(fields))

    await at_once(SIGN_UPS, act, target)


async def resets(target: Target) -> None:
    """Ask for new passwords of ever new addresses, and guess the links of others."""
    numbers = itertools.count()

    async def act(target: Target) -> None:
        number = next(numbers)
        if number % 2:
            email = f"{uuid.uuid4().hex}@example.org"
            await submit(target, "/account/password/reset/", urlencode({"email": email}))
        else:
            fields = {"password1": PASSWORD, "password2": PASSWORD}
            path = f"/account/password/reset/key/1-{uuid.uuid4().hex}/"
            await submit(target, path, urlencode(fields))

    await at_once(RESETS, act, target)


async def sign_ins_by_email(target: Target) -> None:
    """Try wrong passwords for names and addresses, on the accounts' page and the admin's."""
    logins = itertools.cycle(
        ["admin", "admin@example.org", "root@example.org", "ADMIN@example.org"]
    )
    doors = itertools.cycle([("/account/login/", "login"), ("/admin/login/", "username")])

    async def act(target: Target) -> None:
        path, field = next(doors)
        fields = {field: next(logins), "password": str(uuid.uuid4())}
        await submit(target, path, urlencode(fields))

    await at_once(SIGN_INS_BY_EMAIL, act, target)


async def invitations(target: Target) -> None:
    """Guess invitations, and ask for what only staff may see."""
    paths = itertools.cycle(["/account/invitation/{}/", "/admin/streaming/limit/now/?name={}"])

    async def act(target: Target) -> None:
        path = next(paths).format(uuid.uuid4().hex)
        head, _ = await call(target.port, "GET", path, source=target.source)
        target.met[f"{path.split('/')[2]} {head.status}"] += 1

    await at_once(INVITATIONS, act, target)


async def bad_forms(target: Target) -> None:
    """Send forms with huge values, NUL bytes, lone surrogates, and bodies over the limit."""
    long = "a" * LONG
    values = itertools.cycle([long, f"{long}@example.org", "a%00b", "%ED%A0%80@x.org", "%FF", ""])
    doors = itertools.cycle(
        [
            ("/account/signup/", ("username", "email", "password1")),
            ("/account/login/", ("login", "password", "next")),
            ("/account/password/reset/", ("email",)),
            ("/admin/login/", ("username", "password")),
        ]
    )
    numbers = itertools.count()

    async def act(target: Target) -> None:
        path, names = next(doors)
        body = "&".join(f"{name}={next(values)}" for name in names)
        if next(numbers) % 10 == 9:
            body += "&more=" + "a" * TOO_LARGE
        await submit(target, path, body)

    await at_once(BAD_FORMS, act, target)


async def configs(target: Target) -> None:
    """Ask for `/api/config` without a cookie, which makes a session; start with some."""
    numbers = itertools.count()

    async def act(target: Target) -> None:
        port = target.port
        head, _ = await call(port, "GET", "/api/config", source=target.source)
        target.met[f"config {head.status}"] += 1
        if next(numbers) % 10 == 0 and head.status == 200:
            more = {"Accept": "application/json", "Content-Type": "application/json"}
            headers = {**session_headers(port, head.cookies), **more}
            body = b'{"prompt": "hello"}'
            head, _ = await call(port, "POST", START_PATH, headers, body, source=target.source)
            target.met[f"start {head.status}"] += 1

    await at_once(CONFIGS, act, target)


async def submit(target: Target, path: str, body: str) -> None:
    """Send a form with a valid CSRF token, and count the answer."""
    port = target.port
    headers = {**session_headers(port, await _cookies(target, port)), "Content-Type": FORM}
    head, _ = await call(port, "POST", path, headers, body.encode(), source=target.source)
    target.met[f"{path.split('/')[2]} {head.status}"] += 1


async def _cookies(target: Target, port: int) -> dict[str, str]:
    """Return the cookies of a first visit, once for each port."""
    if port not in target.cookies:
        head, _ = await call(port, "GET", "/account/login/", source=target.source)
        target.cookies[port] = head.cookies
    return target.cookies[port]
