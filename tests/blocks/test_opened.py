"""A list or a form that was opened a while ago undoes nothing that somebody changed meanwhile."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from blocks import ordering, versions
from blocks.forms import values_of
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
    return BlockType.objects.create(
        slug="tale",
        title="Tale",
        order=5,
        output="json",
        system_prompt="\nBe kind.\nBe brief.",
        answer_schema={"type": "object", "properties": {"a": {"type": "string"}}},
        options_schema={"properties": {"tone": {"type": "string", "default": "kind"}}},
    )


class Fields(HTMLParser):
    """What a browser would send of a page's form: text with CR LF, boxes only if ticked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and given.get("type") not in ("submit", "checkbox"):
            self.sent.setdefault(name, value)
        elif tag == "input" and name and "checked" in given:
            self.sent[name] = "on"
        elif tag in ("textarea", "select"):
            self._open = name
            self.sent.setdefault(name, "")
        elif tag == "option" and "selected" in given:
            self.sent[self._open] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":  # the first line end is not part of the text
            text = self.sent[self._open].removeprefix("\n")
            self.sent[self._open] = text.replace("\n", "\r\n")
        if tag in ("textarea", "select"):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open and self.get_starttag_text().startswith("<textarea"):
            self.sent[self._open] += data


def opened(client: Client, page: str) -> dict[str, str]:
    return Fields(client.get(page).content.decode()).sent | {"_save": "Save"}


def page_of(block: BlockType) -> str:
    return f"{LIST}{block.pk}/change/"


def test_an_old_list_changes_only_what_was_changed_in_it(operator: Client, tale: BlockType) -> None:
    BlockType.objects.create(slug="other", title="Other", order=9)
    old = opened(operator, LIST)
    operator.post(LIST, {"action": "disable", "_selected_action": [tale.pk]})
    versions_before = BlockType.history.filter(id=tale.pk).count()
    assert old["form-1-order"] == "9"
    saved = operator.post(LIST, {**old, "form-1-order": "7"})
    assert saved.status_code == 302
    assert BlockType.objects.get(slug="other").order == 7
    tale.refresh_from_db()
    assert not tale.enabled
    assert BlockType.history.filter(id=tale.pk).count() == versions_before
    # A box that is ticked or unticked there counts, whatever it is by now.
    unticked = {name: value for name, value in old.items() if name != "form-0-streaming"}
    operator.post(LIST, unticked)
    tale.refresh_from_db()
    assert (tale.enabled, tale.streaming, tale.order) == (False, False, 5)


def test_two_open_forms_of_a_block_type_are_both_saved(operator: Client, tale: BlockType) -> None:
    first, second = opened(operator, page_of(tale)), opened(operator, page_of(tale))
    before = values_of(tale)
    operator.post(page_of(tale), {**first, "description": "By the first."})
    first_changes = versions.changes_of(BlockType.history.first())
    assert [change.field for change in first_changes] == ["description"]  # no line ends
    second.pop("enabled")
    operator.post(page_of(tale), {**second, "max_tokens": "9"})
    tale.refresh_from_db()
    changed = {"description": "By the first.", "max_tokens": 9, "enabled": False}
    assert values_of(tale) == before | changed


def test_a_field_that_both_changed_is_told_and_saved_again_if_meant(
    operator: Client, tale: BlockType
) -> None:
    old = opened(operator, page_of(tale))
    mine = {**old, "system_prompt": "Be long.", "title": "Fable"}
    theirs = {**old, "system_prompt": "Be <b>.", "max_tokens": "9", "title": "Fable"}
    operator.post(page_of(tale), theirs)
    refused = operator.post(page_of(tale), mine)
    assert refused.status_code == 200
    form = refused.context["adminform"].form
    assert list(form.errors) == ["system_prompt"]  # the title is the same
    assert "Stored now: “Be <b>.”" in form.errors["system_prompt"][0]
    again = Fields(refused.content.decode()).sent | {"_save": "Save"}
    assert (again["system_prompt"], again["max_tokens"]) == ("Be long.", "9")
    tale.refresh_from_db()
    assert tale.system_prompt == "Be <b>."
    assert operator.post(page_of(tale), again).status_code == 302
    tale.refresh_from_db()
    assert (tale.system_prompt, tale.max_tokens, tale.title) == ("Be long.", 9, "Fable")


def test_what_both_made_of_it_must_be_valid(operator: Client, tale: BlockType) -> None:
    old = opened(operator, page_of(tale))
    operator.post(page_of(tale), {**old, "options_schema": "{}"})
    refused = operator.post(page_of(tale), {**old, "system_prompt": "Be $tone."})
    assert list(refused.context["adminform"].form.errors) == ["system_prompt"]
    tale.refresh_from_db()
    assert tale.options_schema == {}


@pytest.mark.parametrize("shown", ["", "0", "x", "9" * 30])
def test_a_form_that_names_no_version_is_saved_as_it_was_sent(
    operator: Client, tale: BlockType, shown: str
) -> None:
    sent = {**opened(operator, page_of(tale)), "shown_version": shown, "title": "Fable"}
    assert operator.post(page_of(tale), sent).status_code == 302
    tale.refresh_from_db()
    assert tale.title == "Fable"


def test_a_block_type_that_today_is_invalid_can_be_switched_off_in_the_list(
    operator: Client, tale: BlockType
) -> None:
    BlockType.objects.filter(pk=tale.pk).update(system_prompt="costs $5")
    sent = opened(operator, LIST)
    sent.pop("form-0-enabled")
    assert operator.post(LIST, sent).status_code == 302
    tale.refresh_from_db()
    assert not tale.enabled
    wrong = operator.post(LIST, {**opened(operator, LIST), "form-0-order": "-1"})
    assert "greater than or equal to 0" in wrong.content.decode()


def test_a_change_of_some_fields_leaves_the_others_as_they_are_stored(tale: BlockType) -> None:
    old = BlockType.objects.get()
    tale.title = "Fable"
    versions.save(tale)
    old.enabled, old.max_tokens = False, 9
    assert versions.save(old, fields=["enabled"])
    assert (old.title, old.max_tokens) == ("Fable", 800)
    assert values_of(BlockType.objects.get()) == values_of(old)
    assert not versions.save(old, fields=["enabled"])
    BlockType.objects.all().delete()
    assert not versions.save(old, fields=["enabled"])
    assert not BlockType.objects.exists()


def test_a_move_sorts_by_the_numbers_that_it_has_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    BlockType.objects.all().delete()
    _, b, c = (
        BlockType.objects.create(slug=slug, title=slug, order=order)
        for slug, order in (("a", 1), ("b", 2), ("c", 3))
    )
    # As PostgreSQL returns rows that another move has renumbered while this one waited for them.
    monkeypatch.setattr(BlockType._meta, "ordering", ["-slug"])
    assert ordering.move(b, "up", by=None)
    assert dict(BlockType.objects.values_list("slug", "order")) == {"a": 2, "b": 1, "c": 3}
    BlockType.objects.filter(pk=c.pk).delete()
    assert not ordering.move(c, "up", by=None)


@pytest.mark.parametrize("may_add", [True, False])
def test_who_may_add_is_offered_to_duplicate(
    client: Client, tale: BlockType, may_add: bool
) -> None:
    user = User.objects.create(username="staff", is_staff=True)
    rights = ["change_blocktype", *(["add_blocktype"] if may_add else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    assert (">Duplicate<" in client.get(page_of(tale)).content.decode()) is may_add


@pytest.mark.parametrize(
    "number", ["1e999", "NaN", "-Infinity", "9" * 400, "9" * 5_000, "-1" + "0" * 400]
)
def test_a_number_that_is_not_finite_is_refused_and_what_was_typed_kept(
    operator: Client, tale: BlockType, number: str
) -> None:
    typed = '{"properties": {"n":  {"type": "number", "maximum": %s}}}' % number  # noqa: UP031
    sent = {**opened(operator, page_of(tale)), "options_schema": typed, "title": "Fable"}
    refused = operator.post(page_of(tale), sent)
    form = refused.context["adminform"].form
    assert "is not a finite number" in form.errors["options_schema"][0]
    kept = Fields(refused.content.decode()).sent
    assert (kept["options_schema"], kept["title"]) == (typed, "Fable")
