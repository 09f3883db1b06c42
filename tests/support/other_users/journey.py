"""Walks through what depends on a user's primary key: python -m tests.support.other_users.journey

Prints "all well" at the end.
"""

from __future__ import annotations

from urllib.parse import urlencode

import django
from django.conf import settings

PASSWORD = "open sesame street"
SESSION = "session-of-a-visitor"


def main() -> None:
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]

    from channels.layers import BaseChannelLayer
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from streaming.access.owners import anonymous_owner, user_group, user_owner
    from streaming.access.rights import Rights, right_of
    from streaming.access.sessions import SESSION_KEY
    from streaming.access.visitor import visitor_of
    from streaming.admission.subjects import subjects_of
    from streaming.admission.usage import use_of
    from streaming.database import store
    from streaming.database.store import NewStream
    from streaming.http.history import read_history
    from streaming.models import Limit, Stream, TokenUse
    from streaming.protocol import events

    call_command("check", fail_level="ERROR")
    call_command("migrate", verbosity=0)
    client = Client()
    session = client.session
    session[SESSION_KEY] = SESSION
    session.save()
    Stream.objects.create(
        id="before", owner=anonymous_owner(SESSION), mark=1, created_at=timezone.now()
    )

    data = {"username": "ada", "email": "ada@example.org", "password1": PASSWORD}
    assert client.post("/account/signup/", data).status_code == 302
    user = get_user_model().objects.get()
    assert not isinstance(user.pk, int)
    owner = user_owner(user.pk)
    BaseChannelLayer().require_valid_group_name(user_group(user.pk))

    visitor = visitor_of(user, client.session)
    assert (visitor.owner, visitor.user_id) == (owner, user.pk)
    new = NewStream(owner, user.pk, SESSION, "tale", "scripted:x", "Why?")
    store.create("after", new, process="p", mark=9, is_streaming=True)
    rows, _ = read_history(owner, {})
    assert {row.id: row.user_id for row in rows} == {"before": user.pk, "after": user.pk}

    group = Group.objects.create(name="7b")
    user.groups.add(group)
    Limit.objects.create(whose=Limit.Whose.TOGETHER, group=group, running=1, tokens_per_day=9)
    Limit.objects.create(whose=Limit.Whose.USER, user=user, running=3)
    subjects = {subject.whose: subject for subject in subjects_of(visitor)}
    assert subjects["owner"].allowance.running == 3
    with connection.cursor() as cursor:
        assert [use.places for use in use_of(cursor, [subjects["group"]], timezone.now())] == [2]
    row = Stream.objects.get(pk="after")
    row.input_tokens, row.output_tokens = 3, 4
    row.save()
    store.end(row, events.error("after", 0, code="internal", message="x", retryable=True))
    assert TokenUse.objects.get(subject=f"group:{group.pk}").tokens == 7

    right = right_of(visitor, client.session)
    assert right is not None
    assert Rights().find_ended([right]) == set()
    get_user_model().objects.update(is_active=False)
    assert Rights().find_ended([right]) == {right}
    get_user_model().objects.update(is_active=True)

    get_user_model().objects.update(is_staff=True, is_superuser=True)
    assert client.get("/admin/").status_code == 200
    for who in ("ada", owner):
        shown = client.get(f"/admin/spent/?{urlencode({'who': who})}").content.decode()
        assert "<h2>ada <small>" in shown and "<dd>7 <small>tokens" in shown
    get_user_model().objects.update(is_staff=False, is_superuser=False)

    asked = client.post("/account/delete/")
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"].endswith("/deleted/")
    assert not Stream.objects.exists()
    assert Rights().find_ended([right]) == {right}
    print("all well")


if __name__ == "__main__":
    main()
