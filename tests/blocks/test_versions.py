"""Who changed a block type, when, why and what, whichever way it was changed."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.forms import model_to_dict
from django.test import Client

from blocks import ordering, versions
from blocks.forms import FIELDS, values_of
from blocks.models import BlockType

pytestmark = pytest.mark.django_db

LIST = "/admin/blocks/blocktype/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def tale() -> BlockType:
    BlockType.objects.all().delete()
    BlockType.history.all().delete()
    return BlockType.objects.create(slug="tale", title="Tale", system_prompt="Be kind.\nBe brief.")


def form_data(block: BlockType, **changes: Any) -> dict[str, Any]:
    data = model_to_dict(block) | {"options_schema": "{}", "_save": "Save"} | changes
    return {name: value for name, value in data.items() if value not in (None, False)}


def newest(block: BlockType) -> Any:
    return BlockType.history.filter(id=block.pk).first()


def test_a_version_has_every_field_of_a_block_type(tale: BlockType) -> None:
    assert values_of(newest(tale)) == values_of(tale)
    assert set(FIELDS) == {field.name for field in BlockType._meta.fields} - {"id"}


def test_a_change_by_the_form_names_who_and_what(operator: Client, tale: BlockType) -> None:
    page = f"{LIST}{tale.pk}/change/"
    response = operator.post(page, form_data(tale, system_prompt="Be kind.\nBe long."))
    assert response.status_code == 302, response.context["errors"]
    version = newest(tale)
    assert (version.history_user.username, version.history_type) == ("operator", "~")
    assert [change.field for change in versions.changes_of(version)] == ["system_prompt"]


def test_saving_what_is_as_before_makes_no_version(operator: Client, tale: BlockType) -> None:
    operator.post(f"{LIST}{tale.pk}/change/", form_data(tale))
    assert BlockType.history.filter(id=tale.pk).count() == 1
    assert versions.save(tale) is False


@pytest.mark.parametrize(("action", "is_on"), [("disable", False), ("enable", True)])
def test_the_actions_of_the_list_make_versions(
    operator: Client, tale: BlockType, action: str, is_on: bool
) -> None:
    BlockType.objects.filter(pk=tale.pk).update(enabled=not is_on)
    response = operator.post(LIST, {"action": action, "_selected_action": [tale.pk]})
    assert response.status_code == 302
    version = newest(tale)
    assert (version.enabled, version.history_user.username) == (is_on, "operator")
    assert version.history_change_reason == f"{action}d in the list"


def test_a_change_in_the_list_makes_a_version(operator: Client, tale: BlockType) -> None:
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": tale.pk}
    operator.post(LIST, form | {"form-0-order": 7, "form-0-enabled": "on", "_save": "Save"})
    assert (newest(tale).order, newest(tale).history_user.username) == (7, "operator")


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deletion_makes_the_last_version(operator: Client, tale: BlockType, way: str) -> None:
    if way == "page":
        operator.post(f"{LIST}{tale.pk}/delete/", {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [tale.pk], "post": "yes"}
        operator.post(LIST, data)
    assert not BlockType.objects.exists()
    (last, *_) = BlockType.history.filter(slug="tale")
    assert (last.history_type, last.history_user.username) == ("-", "operator")


def test_a_block_type_without_a_version_gets_its_first_with_the_next_change(
    tale: BlockType,
) -> None:
    BlockType.history.all().delete()  # as a process of an older release leaves it
    tale.title = "Fable"
    versions.save(tale, why="x" * 200)
    second, first = BlockType.history.filter(id=tale.pk)
    assert (first.title, first.history_change_reason) == ("Tale", versions.FIRST)
    assert (second.title, len(second.history_change_reason)) == ("Fable", 100)


def test_the_migration_gives_every_block_type_a_first_version(tale: BlockType) -> None:
    BlockType.history.all().delete()
    migration = import_module("blocks.migrations.0006_versions")
    migration.add_first_versions(apps, SimpleNamespace(connection=connection))
    (version,) = BlockType.history.all()
    assert (version.history_type, values_of(version)) == ("+", values_of(tale))


def test_the_history_shows_each_version_and_its_difference(
    operator: Client, tale: BlockType
) -> None:
    operator.post(f"{LIST}{tale.pk}/change/", form_data(tale, system_prompt="Be kind.\nBe <b>."))
    listed = operator.get(f"{LIST}{tale.pk}/history/").content.decode()
    assert "System prompt" in listed
    assert "operator" in listed
    page = operator.get(f"{LIST}{tale.pk}/history/{newest(tale).pk}/").content.decode()
    assert '<del><span class="block-sign">−</span> Be brief.</del>' in page
    assert "Be &lt;b&gt;." in page
    assert "Nothing: the block type is as in this version." in page


def test_one_click_and_a_confirmation_roll_back(operator: Client, tale: BlockType) -> None:
    first = newest(tale)
    operator.post(f"{LIST}{tale.pk}/change/", form_data(tale, title="Fable", max_tokens=9))
    page = f"{LIST}{tale.pk}/history/{first.pk}/"
    assert "Roll back to this version" in operator.get(page).content.decode()
    assert operator.post(page).status_code == 302
    tale.refresh_from_db()
    assert values_of(tale) == values_of(first)
    assert newest(tale).history_change_reason.startswith("rolled back to the version of ")
    assert newest(tale).history_user.username == "operator"
    assert BlockType.history.filter(id=tale.pk).count() == 3


def test_a_version_that_is_no_longer_valid_is_not_rolled_back_to(
    operator: Client, tale: BlockType
) -> None:
    first = newest(tale)
    BlockType.history.filter(pk=first.pk).update(model="gone:model")
    operator.post(f"{LIST}{tale.pk}/change/", form_data(tale, title="Fable"))
    response = operator.post(f"{LIST}{tale.pk}/history/{first.pk}/")
    assert response.status_code == 409
    assert "no longer valid" in response.content.decode()
    tale.refresh_from_db()
    assert tale.title == "Fable"


def test_a_version_of_another_block_type_is_not_found(operator: Client, tale: BlockType) -> None:
    other = BlockType.objects.create(slug="other", title="Other")
    assert operator.get(f"{LIST}{other.pk}/history/{newest(tale).pk}/").status_code == 404
    assert operator.post(f"{LIST}{other.pk}/history/{newest(tale).pk}/").status_code == 404


@pytest.mark.parametrize(
    ("codenames", "seen", "rolled"), [(["view_blocktype"], 200, 403), (["view_stream"], 403, 403)]
)
def test_rights_decide_who_sees_and_who_rolls_back(
    client: Client, tale: BlockType, codenames: list[str], seen: int, rolled: int
) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    page = f"{LIST}{tale.pk}/history/"
    version = f"{page}{newest(tale).pk}/"
    assert (client.get(page).status_code, client.get(version).status_code) == (seen, seen)
    assert client.post(version).status_code == rolled
    assert "Roll back" not in client.get(version).content.decode()
    for path in (f"{LIST}{tale.pk}/move/up/", f"{LIST}import/"):
        assert client.post(path).status_code == 403


# --- order and copies -------------------------------------------------------------------


def put(*orders: int) -> list[BlockType]:
    BlockType.objects.all().delete()
    return [
        BlockType.objects.create(slug=f"b{n}", title=f"B{n}", order=order)
        for n, order in enumerate(orders)
    ]


def slugs() -> list[str]:
    return list(BlockType.objects.values_list("slug", flat=True))


@pytest.mark.parametrize(
    ("orders", "way", "after", "changed"),
    [
        ((10, 20, 30), "up", ["b1", "b0", "b2"], 2),
        ((10, 20, 30), "down", ["b0", "b2", "b1"], 2),
        ((5, 5, 5), "up", ["b1", "b0", "b2"], 3),
    ],
)
def test_a_block_type_moves_by_one_place(
    orders: tuple[int, ...], way: str, after: list[str], changed: int
) -> None:
    rows = put(*orders)
    before = BlockType.history.count()
    assert ordering.move(rows[1], way, by=None)
    assert slugs() == after
    assert BlockType.history.count() - before == changed


def test_the_first_does_not_move_up_nor_the_last_down() -> None:
    rows = put(1, 2)
    assert not ordering.move(rows[0], "up", by=None)
    assert not ordering.move(rows[1], "down", by=None)
    assert slugs() == ["b0", "b1"]


def test_the_buttons_of_the_list_move_and_keep_their_place(operator: Client) -> None:
    rows = put(1, 2)
    page = operator.get(LIST).content.decode()
    assert f'formaction="{LIST}{rows[1].pk}/move/up/"' in page
    assert 'aria-label="Move B1 up"' in page
    response = operator.post(f"{LIST}{rows[1].pk}/move/up/", {"form-0-order": "9"})
    assert response["Location"] == f"{LIST}#move-up-{rows[1].pk}"
    assert slugs() == ["b1", "b0"]
    assert operator.get(f"{LIST}{rows[1].pk}/move/up/").status_code == 405
    assert operator.post(f"{LIST}999999/move/up/").status_code == 404


def test_a_copy_begins_with_the_values_off_and_with_a_free_slug(
    operator: Client, tale: BlockType
) -> None:
    BlockType.objects.create(slug="tale-copy", title="Taken")
    form = operator.get(f"{LIST}add/?copy_of={tale.pk}").context["adminform"].form
    assert form.initial["slug"] == "tale-copy-2"
    assert form.initial["title"] == "Tale (copy)"
    assert form.initial["enabled"] is False
    assert form.initial["system_prompt"] == tale.system_prompt
    assert BlockType.objects.count() == 2
    long = BlockType.objects.create(slug="x" * 64, title="y" * 120)
    form = operator.get(f"{LIST}add/?copy_of={long.pk}").context["adminform"].form
    assert (len(form.initial["slug"]), len(form.initial["title"])) == (64, 120)
    assert operator.get(f"{LIST}add/?copy_of=nonsense").status_code == 200


def test_the_form_warns_of_free_text_in_the_system_role(operator: Client, tale: BlockType) -> None:
    page = f"{LIST}{tale.pk}/change/"
    assert "system role" not in operator.get(page).content.decode()
    options = '{"properties": {"tone": {"type": "string"}}}'
    data = form_data(tale, system_prompt="Be $tone.", options_schema=options)
    saved = operator.post(page, data, follow=True)
    assert "Visitors can write into the system role" in saved.content.decode()
    assert "contains $tone" in operator.get(page).content.decode()
