"""A deleted block type is listed in the admin, and comes back with its values and its history."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from blocks import versions
from blocks.forms import values_of
from blocks.models import BlockType

pytestmark = pytest.mark.django_db

LIST = "/admin/blocks/blocktype/"
DELETED = f"{LIST}deleted/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def tale(operator: Client) -> dict[str, Any]:
    """The values of a block type that was changed and then deleted."""
    BlockType.objects.all().delete()
    BlockType.history.all().delete()
    block = BlockType.objects.create(
        slug="tale",
        title="Tale",
        system_prompt="Be $tone.",
        order=7,
        max_tokens=9,
        streaming=False,
        options_schema={"properties": {"tone": {"type": "string", "enum": ["kind"]}}},
    )
    block.title = "A <Tale>"
    versions.save(block)
    operator.post(f"{LIST}{block.pk}/delete/", {"post": "yes"})
    assert not BlockType.objects.exists()
    return {"id": block.pk, **values_of(block)}


def typed(client: Client, address: str) -> dict[str, Any]:
    """Return what a browser would send if nothing were changed in a form."""
    form = client.get(address).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in fields.items() if value not in (None, False)}


def test_a_deleted_block_type_is_restored_by_its_form_with_its_history(
    operator: Client, tale: dict[str, Any]
) -> None:
    assert DELETED in operator.get(LIST).content.decode()
    page = operator.get(DELETED).content.decode()
    (last,) = versions.deleted()
    address = f"{LIST}add/?restore={last.pk}"
    assert "A &lt;Tale&gt;" in page and "operator" in page and address in page
    form = operator.get(address).content.decode()
    assert "as it was when it was deleted" in form and "A copy of" not in form
    assert not BlockType.objects.exists()
    response = operator.post(address, typed(operator, address))
    assert response.status_code == 302, response.context["errors"]
    block = BlockType.objects.get()
    assert {"id": block.pk, **values_of(block)} == tale
    kinds = [
        (each.history_type, each.history_change_reason)
        for each in BlockType.history.filter(id=block.pk)
    ]
    assert kinds == [("+", "restored"), ("-", None), ("~", None), ("+", None)]
    assert "No deleted block types." in operator.get(DELETED).content.decode()
    history = operator.get(f"{LIST}{block.pk}/history/").content.decode()
    assert "deleted" in history and "restored" in history
    deletion = operator.get(f"{LIST}{block.pk}/history/{last.pk}/").content.decode()
    assert "the block type was deleted" in deletion


def test_one_that_was_restored_already_is_no_longer_offered(
    operator: Client, tale: dict[str, Any]
) -> None:
    (last,) = versions.deleted()
    address = f"{LIST}add/?restore={last.pk}"
    data = typed(operator, address)
    operator.post(address, data)
    again = operator.post(address, data)  # by a page that was left open
    assert "slug" in again.context["adminform"].form.errors
    assert BlockType.objects.count() == 1
    BlockType.objects.get().delete()  # again: it is listed once, as it was the last time
    assert [each.id for each in versions.deleted()] == [tale["id"]]
    assert versions.deleted()[0].pk > last.pk


def test_a_slug_that_is_taken_and_a_model_that_is_gone_can_be_changed(
    operator: Client, tale: dict[str, Any]
) -> None:
    BlockType.history.filter(id=tale["id"]).update(model="gone:model")
    BlockType.objects.create(slug="tale", title="Another")
    (last,) = versions.deleted()
    address = f"{LIST}add/?restore={last.pk}"
    data = typed(operator, address)
    errors = operator.post(address, data).context["adminform"].form.errors
    assert set(errors) == {"slug", "model"}
    del data["model"]
    assert operator.post(address, data | {"slug": "old-tale"}).status_code == 302
    assert BlockType.objects.get(slug="old-tale").pk == tale["id"]
    assert BlockType.objects.count() == 2


@pytest.mark.parametrize("name", ["0", "-1", "x", "9" * 30, ""])
def test_a_version_that_is_none_opens_an_empty_form(
    operator: Client, tale: dict[str, Any], name: str
) -> None:
    form = operator.get(f"{LIST}add/?restore={name}").context["adminform"].form
    assert not form["title"].value()


def test_a_version_of_a_block_type_that_exists_restores_nothing(
    operator: Client, tale: dict[str, Any]
) -> None:
    block = BlockType.objects.create(slug="other", title="Other")
    version = BlockType.history.filter(id=block.pk).get()
    earlier = BlockType.history.filter(id=tale["id"], history_type="~").get()
    for each in (version, earlier):
        form = operator.get(f"{LIST}add/?restore={each.pk}").context["adminform"].form
        assert not form["title"].value()


@pytest.mark.parametrize(
    ("codenames", "listed", "offered", "title"),
    [
        (["view_blocktype"], 200, False, None),
        (["change_blocktype"], 200, False, None),
        (["view_blocktype", "add_blocktype"], 200, True, "A <Tale>"),
        (["add_blocktype"], 403, False, ""),
        (["view_stream"], 403, False, None),
    ],
)
def test_rights_decide_who_sees_and_who_restores(
    client: Client,
    tale: dict[str, Any],
    codenames: list[str],
    listed: int,
    offered: bool,
    title: str | None,
) -> None:
    user = User.objects.create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    page = client.get(DELETED)
    assert page.status_code == listed
    assert ("?restore=" in page.content.decode()) is offered
    address = f"{LIST}add/?restore={versions.deleted()[0].pk}"
    form = client.get(address)
    if title is None:
        assert form.status_code == client.post(address, {"title": "x"}).status_code == 403
    else:
        assert (form.context["adminform"].form["title"].value() or "") == title
