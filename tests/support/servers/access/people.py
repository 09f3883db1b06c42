"""The people of the access tests, in a server's own database: `python -m ... prepare` or `state`.

A process of its own, because the tests' Django has another database. Both print JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import django

from tests.support.servers.harness import ENVIRONMENT, ROOT, AnyDatabase, clean_environment
from tests.support.signed_tokens import ISSUER

OTHERS = 30
"""Users with a session and a token of their own, and nothing else."""

PASSWORD = "a long password of a person under test"
MARK = "heliotrope"
"""A word in every prompt and answer of the victims; no answer to anybody else may contain it."""


@dataclass
class Person:
    """What somebody has, or had: empty where nothing."""

    name: str
    pk: str = ""
    session: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    read_token: str = field(default="", repr=False)
    streams: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)


def prepare(database: AnyDatabase) -> dict[str, Person]:
    """Fill the database; return its people by name."""
    found = _call(database, "prepare")
    return {person["name"]: Person(**person) for person in found}


def state_of(database: AnyDatabase) -> dict[str, list[Any]]:
    """Return all that no stranger may change, by table."""
    state: dict[str, list[Any]] = _call(database, "state")
    return state


def _call(database: AnyDatabase, command: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", __name__, command],
        cwd=ROOT,
        env={
            **clean_environment(),
            **ENVIRONMENT,
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": "liveai.settings",
        },
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout)


# --- in the other process ----------------------------------------------------------------


def _prepare() -> list[dict[str, Any]]:
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from liveai.api_tokens.models import ApiToken
    from streaming.access.sessions import session_store

    people = [_person(name) for name in ("vera", "expired", "flushed", "signed-out", "password")]
    people += [_person(name) for name in ("deactivated", "deleted", "revoked", "late token")]
    people += [_person(f"other {number}", owns=0) for number in range(OTHERS)]
    people += [_person("staff", owns=0)]
    User.objects.filter(username="staff").update(is_staff=True, is_superuser=True)
    people += [_anonymous(name) for name in ("anonymous", "outdated", "joined")]
    people += [_anonymous("stranger", owns=0)]
    people += [_outside("outside")]
    by_name = {person.name: person for person in people}
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=by_name["expired"].session).update(expire_date=past)
    session_store()(by_name["flushed"].session).flush()
    changed = User.objects.get(username="password")
    changed.set_password(PASSWORD)
    changed.save()
    ApiToken.objects.filter(user__username="revoked").delete()
    ApiToken.objects.filter(user__username="late token").update(expiry=past)
    User.objects.filter(username="deactivated").update(is_active=False)
    User.objects.get(username="deleted").delete()
    joining = User.objects.create_user("joining", "joining@example.com", PASSWORD)
    by_name["joined"].pk = str(joining.pk)
    return [vars(person) for person in people]


def _person(name: str, *, owns: int = 3) -> Person:
    from allauth.account.models import EmailAddress
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User

    from liveai.api_tokens.making import make_token
    from streaming.access.owners import user_owner
    from streaming.access.sessions import session_store

    user = User(username=name, email=f"{name.replace(' ', '-')}@example.com")
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    session = session_store()()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    person = Person(name, str(user.pk), str(session.session_key))
    _, person.token = make_token(user.pk, name="Asks", scope="ask", days=90)
    _, person.read_token = make_token(user.pk, name="Reads", scope="read", days=90)
    _add_streams(person, user_owner(user.pk), count=owns, user_id=user.pk)
    return person


def _anonymous(name: str, *, owns: int = 3) -> Person:
    from django.conf import settings

    from streaming.access import sessions
    from streaming.access.owners import anonymous_owner

    secret = sessions.new_secret()
    session = sessions.session_store()()
    session[sessions.SESSION_KEY] = sessions.id_of(secret)
    session[sessions.SECRET_KEY] = secret
    session.save()
    key = str(session.session_key)
    if name == "outdated":
        signed_at = int(key.split(sessions.SEPARATOR)[1]) - settings.SESSION_COOKIE_AGE - 1
        key = sessions._signer().sign(f"{secret}{sessions.SEPARATOR}{signed_at}")
    person = Person(name, session=key)
    _add_streams(person, anonymous_owner(sessions.id_of(secret)), count=owns)
    return person


def _outside(name: str) -> Person:
    """Return a user of another site, who comes with tokens that `rights.py` signs."""
    from streaming.access.owners import outside_owner

    person = Person(name)
    _add_streams(person, outside_owner(ISSUER, name), count=3)
    return person


def _add_streams(person: Person, owner: str, *, count: int, **fields: Any) -> None:
    """Add ended streams, which can be read, deleted and continued."""
    from django.utils import timezone

    from streaming.database.store import new_stream_id
    from streaming.models import Stream

    now = timezone.now()
    for _ in range(count):
        stream_id = new_stream_id()
        row = Stream.objects.create(
            id=stream_id,
            owner=owner,
            request_id=str(uuid.uuid4()),
            block_type="ask-question",
            model="scripted:live",
            prompt=f"What is {MARK}?",
            status="cancelled",
            terminal={"type": "cancelled", "stream_id": stream_id, "seq": 1, "by": "owner"},
            text=f"The {MARK} is",
            seq=1,
            mark=100_000,
            created_at=now,
            started_at=now,
            ended_at=now,
            **fields,
        )
        person.streams.append(row.pk)
        person.request_ids.append(str(row.request_id))


def _state() -> dict[str, list[Any]]:
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import User

    from blocks.models import BlockType
    from liveai.accounts.models import Invitation
    from liveai.api_tokens.models import ApiToken
    from streaming.models import Limit, Stream, StreamingSettings

    def hashed(*values: object) -> str:
        return hashlib.sha256(repr(values).encode()).hexdigest()

    users = User.objects.order_by("pk").values_list("pk", "username", "email", "password")
    streams = Stream.objects.order_by("pk").values_list("pk", "owner", "status", "cancel_intent")
    return {
        "streams": [list(row) for row in streams],
        "users": [[pk, name, hashed(email, password)] for pk, name, email, password in users],
        "active": list(User.objects.filter(is_active=True).order_by("pk").values_list("pk")),
        "staff": list(User.objects.filter(is_staff=True).values_list("pk")),
        "tokens": [hashed(row.pk, row.scope) for row in ApiToken.objects.order_by("pk")],
        "addresses": [
            hashed(row.user_id, row.email, row.verified)
            for row in EmailAddress.objects.order_by("pk")
        ],
        "counts": [
            model.objects.count() for model in (BlockType, Invitation, Limit, StreamingSettings)
        ],
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    django.setup()
    print(json.dumps(_prepare() if sys.argv[1] == "prepare" else _state()))
