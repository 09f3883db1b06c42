"""Export and import of block types: the document, the plan, the admin's pages and the commands."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client

from blocks import transfer
from blocks.forms import FIELDS, values_of
from blocks.models import BlockType
from blocks.transfer import ImportRefused

pytestmark = pytest.mark.django_db

PAGE = "/admin/blocks/blocktype/import/"
TALE = {"slug": "tale", "title": "Tale"}


@pytest.fixture(autouse=True)
def _no_blocks(db: None) -> None:
    BlockType.objects.all().delete()


def document(*blocks: Any, **changes: Any) -> bytes:
    whole = {"format": "liveai.blocks", "version": 1, "blocks": list(blocks)} | changes
    return json.dumps(whole).encode()


def refusal_of(content: bytes) -> list[str]:
    with pytest.raises(ImportRefused) as caught:
        transfer.plan(content)
    return caught.value.problems


def test_what_is_exported_is_imported_as_it_was(first_blocks: None) -> None:
    json_block = BlockType.objects.create(
        slug="facts",
        title="Facts “é”",
        output="json",
        answer_schema={"type": "object", "properties": {"a": {"type": "string"}}},
        options_schema={"properties": {"tone": {"type": "string", "default": "kind"}}},
        temperature=1.0,
        streaming=False,
        on_abandon="cancel",
        on_generator_lost="fail",
    )
    text = transfer.export(BlockType.objects.all())
    again = transfer.plan(text.encode())
    assert [entry.kind for entry in again.entries] == ["same"] * BlockType.objects.count()
    before = {block.slug: values_of(block) for block in BlockType.objects.all()}
    BlockType.objects.all().delete()
    transfer.apply(transfer.plan(text.encode()))
    assert {block.slug: values_of(block) for block in BlockType.objects.all()} == before
    assert before["facts"] == values_of(json_block)
    assert set(json.loads(text)["blocks"][0]) == set(FIELDS)


def test_a_plan_shows_what_would_change_and_changes_nothing() -> None:
    BlockType.objects.create(slug="tale", title="Tale", max_tokens=9)
    BlockType.objects.create(slug="same", title="Same")
    new = {"slug": "new", "title": "New", "system_prompt": "Be $prompt."}
    plan = transfer.plan(
        document({"slug": "tale", "title": "Fable"}, new, {"slug": "same", "title": "Same"})
    )
    assert [entry.kind for entry in plan.entries] == ["changed", "new", "same"]
    (change,) = plan.entries[0].changes
    assert (change.field, change.old, change.new) == ("title", "Tale", "Fable")
    assert "$prompt" in plan.entries[1].warning
    assert BlockType.objects.get(slug="tale").title == "Tale"
    transfer.apply(plan)
    tale = BlockType.objects.get(slug="tale")
    assert (tale.title, tale.max_tokens) == ("Fable", 9)  # what is left out stays
    assert tale.history.first().history_change_reason == "import"
    assert BlockType.objects.get(slug="new").max_tokens == 800
    assert BlockType.history.filter(slug="same").count() == 1


DEEP = b'{"format": "liveai.blocks", "version": 1, "blocks": ' + b"[" * 50_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "holds no block types"),
        (b'{"format": "x"}', "holds no block types"),
        (document(TALE, version=2), "another version"),
        (document(TALE, version=True), "another version"),
        (document(TALE, more=1), "Unknown members: “more”"),
        (document(), "a list of blocks"),
        (document(*[TALE] * 201), "a list of at most 200"),
        (document(blocks={}), "a list of blocks"),
        (document("tale"), "Block 1 is not an object"),
        (document({"slug": "tale"}), "“title” is missing"),
        (document({**TALE, "id": 1}), "unknown fields: “id”"),
        (document(TALE, TALE), "More than one block has the slug “tale”"),
        (document(TALE, {**TALE, "slug": " tale "}), "More than one block has the slug “tale”"),
        (document({**TALE, "slug": "a\0b"}), "slug: must be text without NUL"),
        (document({**TALE, "enabled": "no"}), "enabled: must be true or false"),
        (document({**TALE, "order": True}), "order: must be a whole number"),
        (document({**TALE, "order": 1.5}), "order: must be a whole number"),
        (document({**TALE, "temperature": "1"}), "temperature: must be a number"),
        (document({**TALE, "title": None}), "title: must be text"),
        (document({**TALE, "options_schema": []}), "options_schema: must be an object"),
        (document({**TALE, "temperature": 3}), "temperature: Ensure this value is less"),
        (document({**TALE, "order": 10**30}), "order: Ensure this value is less"),
        (document({**TALE, "slug": "a b"}), "slug: Enter a valid"),
        (document({**TALE, "description": "x" * 501}), "description: Ensure this value has at"),
        (document({**TALE, "system_prompt": "$tone"}), "system_prompt: Unknown placeholder $tone"),
        (document({**TALE, "title": "a\0b"}), "title: must be text without NUL"),
        (document({**TALE, "options_schema": {"title": "\0"}}), "options_schema: NUL characters"),
        (document(TALE).replace(b"Tale", rb"\ud800"), "unpaired surrogates"),
        (document({**TALE, "temperature": 1}).replace(b": 1}", b": NaN}"), "NaN is not a finite"),
        (
            document({**TALE, "temperature": 7}).replace(b": 7}", b": 1e999}"),
            "1e999 is not a finite",
        ),
        (document({**TALE, "temperature": 10**400}), "… is not a finite"),
        (document({**TALE, "temperature": 10**300}), "temperature: Ensure this value is less"),
        (DEEP, "nested too deep"),
        (b" " * (transfer.MAX_FILE_BYTES + 1), "larger than 1,000,000 bytes"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_and_nothing_imported(
    content: bytes, words: str
) -> None:
    assert words in " ".join(refusal_of(content))
    assert not BlockType.objects.exists()


def test_one_wrong_block_keeps_all_from_being_imported() -> None:
    (problem,) = refusal_of(document(TALE, {"slug": "b", "title": "B", "model": "x"}))
    assert problem.startswith("Block “b”, model: ")
    assert not BlockType.objects.exists()


def test_problems_are_bounded() -> None:
    wrong = [{"slug": f"b{n}", "title": ""} for n in range(100)]
    assert len(refusal_of(document(*wrong))) == transfer.PROBLEMS_AT_MOST


def test_a_block_type_that_was_created_meanwhile_undoes_the_import() -> None:
    plan = transfer.plan(document({"slug": "a", "title": "A"}, TALE))
    BlockType.objects.create(slug="tale", title="Somebody's")
    with pytest.raises(ImportRefused, match="meanwhile"):
        transfer.apply(plan)
    assert [block.slug for block in BlockType.objects.all()] == ["tale"]


def test_only_what_was_created_meanwhile_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = transfer.plan(document(TALE))

    def fail(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("CHECK constraint failed")

    monkeypatch.setattr(transfer.versions, "save", fail)
    with pytest.raises(IntegrityError):
        transfer.apply(plan)


def test_what_somebody_else_changed_or_deleted_before_an_import_is_not_overwritten() -> None:
    BlockType.objects.create(slug="tale", title="Tale")
    plan = transfer.plan(document({**TALE, "title": "Fable"}))
    BlockType.objects.update(enabled=False)
    transfer.apply(plan)
    tale = BlockType.objects.get()
    assert (tale.title, tale.enabled) == ("Fable", False)
    plan = transfer.plan(document(TALE))
    tale.delete()
    with pytest.raises(ImportRefused, match="deleted meanwhile"):
        transfer.apply(plan)
    assert not BlockType.objects.exists()


# --- the admin --------------------------------------------------------------------------


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def upload(client: Client, content: bytes) -> Any:
    return client.post(PAGE, {"file": SimpleUploadedFile("blocks.json", content)})


def test_the_admin_shows_the_changes_first_and_then_imports_them(operator: Client) -> None:
    BlockType.objects.create(slug="tale", title="Tale")
    response = upload(operator, document({"slug": "tale", "title": "Fable <3"}))
    page = response.content.decode()
    assert response.status_code == 200
    assert "Nothing is changed yet" in page
    assert "Fable &lt;3" in page
    assert BlockType.objects.get().title == "Tale"
    confirmed = {
        "content": response.context["content"],
        "fingerprint": response.context["plan"].fingerprint,
    }
    done = operator.post(PAGE, confirmed)
    assert done.status_code == 302
    version = BlockType.history.first()
    assert (version.title, version.history_user.username) == ("Fable <3", "operator")
    assert version.history_change_reason == "import"


def test_what_was_not_shown_is_not_imported(operator: Client) -> None:
    tale = BlockType.objects.create(slug="tale", title="Tale")
    shown = upload(operator, document({"slug": "tale", "title": "Fable"})).context
    tale.title = "Saga"
    tale.save()
    confirmed = {"content": shown["content"], "fingerprint": shown["plan"].fingerprint}
    response = operator.post(PAGE, confirmed)
    assert response.status_code == 200
    assert "meanwhile" in response.content.decode()
    assert BlockType.objects.get().title == "Saga"


def test_the_admin_says_what_is_wrong_with_a_file(operator: Client) -> None:
    response = upload(operator, document({**TALE, "order": "first"}))
    assert response.status_code == 422
    assert "order: must be a whole number" in response.content.decode()
    assert operator.post(PAGE, {}).status_code == 422
    large = upload(operator, b" " * (transfer.MAX_FILE_BYTES + 1))
    assert "larger than 1,000,000 bytes" in large.content.decode()


def test_the_admin_exports_one_several_and_all(operator: Client) -> None:
    for slug in ("a", "b", "c"):
        BlockType.objects.create(slug=slug, title=slug.upper())
    every = operator.get("/admin/blocks/blocktype/export/")
    assert every["Content-Disposition"] == 'attachment; filename="blocks.json"'
    assert [block["slug"] for block in json.loads(every.content)["blocks"]] == ["a", "b", "c"]
    one = operator.get("/admin/blocks/blocktype/export/?slug=b")
    assert one["Content-Disposition"] == 'attachment; filename="b.json"'
    keys = list(BlockType.objects.filter(slug__in=["a", "c"]).values_list("pk", flat=True))
    data = {"action": "export_selected", "_selected_action": keys}
    some = operator.post("/admin/blocks/blocktype/", data)
    assert [block["slug"] for block in json.loads(some.content)["blocks"]] == ["a", "c"]


def confirmed(shown: Any) -> dict[str, str]:
    return {"content": shown["content"], "fingerprint": shown["plan"].fingerprint}


def test_what_the_admin_exports_it_imports_up_to_the_same_size(operator: Client) -> None:
    block = BlockType.objects.create(slug="tale", title="Tale", system_prompt="é" * 498_000)
    file = operator.get("/admin/blocks/blocktype/export/").content
    assert transfer.MAX_FILE_BYTES - 4_000 < len(file) <= transfer.MAX_FILE_BYTES
    block.delete()
    shown = upload(operator, file)
    assert operator.post(PAGE, confirmed(shown.context)).status_code == 302
    assert BlockType.objects.get().system_prompt == "é" * 498_000
    BlockType.objects.create(slug="more", title="More", system_prompt="x" * 9_000)
    refused = operator.get("/admin/blocks/blocktype/export/", follow=True)
    assert "Nothing was exported: an import here takes" in refused.content.decode()
    assert operator.get("/admin/blocks/blocktype/export/?slug=more").status_code == 200
    for slug, status in (("nothing", 404), ("%00", 400)):
        got = operator.get(f"/admin/blocks/blocktype/export/?slug={slug}")
        assert got.status_code == status


def test_a_compact_file_is_sent_back_as_compact(operator: Client) -> None:
    named = [{"slug": f"b{n}", "title": "é"} for n in range(200)]
    whole = {"format": "liveai.blocks", "version": 1, "blocks": named}
    compact = json.dumps(whole, separators=(",", ":"), ensure_ascii=False)
    assert upload(operator, compact.encode()).context["content"] == compact
    options = {"properties": {"n": {"type": "number", "examples": [1e200] * 900}}}
    blocks = [{"slug": f"b{n}", "title": "B", "options_schema": options} for n in range(200)]
    grown = document(*blocks).replace(b"1e+200", b"1e15").replace(b" ", b"")
    assert len(grown) < transfer.MAX_FILE_BYTES + 200
    refused = upload(operator, grown)
    assert refused.status_code == 422
    assert "too many numbers with an exponent" in refused.content.decode()


# --- the commands -----------------------------------------------------------------------


def test_the_commands_export_show_and_import(tmp_path: Path) -> None:
    BlockType.objects.create(slug="tale", title="Tale")
    file = tmp_path / "blocks.json"
    call_command("export_blocks", "tale", output=file, stderr=io.StringIO())
    shown = io.StringIO()
    call_command("export_blocks", stdout=shown)
    assert shown.getvalue() == file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace('"Tale"', '"Fable"'), "utf-8")
    out = io.StringIO()
    call_command("import_blocks", str(file), dry_run=True, stdout=out)
    assert "title: Tale → Fable" in out.getvalue()
    assert "Would import: 0 new, 1 changed, 0 as before." in out.getvalue()
    assert BlockType.objects.get().title == "Tale"
    call_command("import_blocks", str(file), stdout=out)
    assert BlockType.objects.get().title == "Fable"
    assert BlockType.history.first().history_user is None


def test_the_commands_take_files_of_any_size(tmp_path: Path) -> None:
    for n in range(201):
        BlockType.objects.create(slug=f"b{n}", title="B", system_prompt="x" * 5_000)
    file = tmp_path / "blocks.json"
    call_command("export_blocks", output=file, stderr=io.StringIO())
    assert file.stat().st_size > transfer.MAX_FILE_BYTES
    out = io.StringIO()
    call_command("import_blocks", str(file), stdout=out)
    assert "Imported: 0 new, 0 changed, 201 as before." in out.getvalue()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["export_blocks", "nothing"], "No such block type: nothing"),
        (["import_blocks", "/nowhere/x.json"], "can't be read"),
        (["import_blocks", __file__], "Nothing was imported"),
    ],
)
def test_a_command_that_can_not_work_says_why(command: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command(*command)
