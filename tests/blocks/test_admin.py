from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.forms import model_to_dict
from django.test import RequestFactory

from blocks.admin import BlockTypeAdmin
from blocks.forms import ShallowJSONField
from blocks.models import BlockType

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel() -> BlockTypeAdmin:
    return BlockTypeAdmin(BlockType, admin.site)


@pytest.fixture
def form_of(panel: BlockTypeAdmin) -> Any:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    form_class = panel.get_form(request)

    def make(**changes: Any) -> Any:
        data = model_to_dict(BlockType(slug="tale", title="Tale")) | {"options_schema": "{}"}
        return form_class({k: v for k, v in (data | changes).items() if v is not None})

    return make


def test_the_panel_is_registered_and_sound() -> None:
    assert isinstance(admin.site._registry[BlockType], BlockTypeAdmin)
    assert admin.site._registry[BlockType].check() == []


def test_every_field_can_be_edited_once(panel: BlockTypeAdmin) -> None:
    shown = [field for _, options in panel.fieldsets for field in options["fields"]]
    assert sorted(shown) == sorted(f.name for f in BlockType._meta.fields if f.name != "id")


def test_a_block_added_there_is_saved(form_of: Any) -> None:
    form = form_of()
    assert form.is_valid(), form.errors
    form.save()
    assert BlockType.objects.get(slug="tale").enabled


def test_an_emptied_box_of_options_means_none(form_of: Any) -> None:
    form = form_of(options_schema="")
    assert form.is_valid(), form.errors
    assert form.save().options_schema == {}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 900 + "]" * 900, "[" * 40 + "]" * 40, '{"a":' * 99_999, "{"]
)
def test_hostile_json_is_refused_at_its_field(form_of: Any, text: str) -> None:
    form = form_of(options_schema=text)
    assert list(form.errors) == ["options_schema"]
    assert "options_schema" in form.as_p()
    assert form.has_changed()


def test_deep_json_is_told_to_be_too_deep() -> None:
    form_field = ShallowJSONField()
    with pytest.raises(Exception, match="32 levels"):
        form_field.clean("[" * 50 + "]" * 50)
    assert form_field.clean('{"a": [1]}') == {"a": [1]}


def test_a_block_whose_model_is_gone_can_be_switched_off_in_the_list(client: Any) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    BlockType.objects.all().delete()
    block = BlockType.objects.create(slug="tale", title="Tale", model="local:gone.gguf")
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": block.pk}
    data = form | {"form-0-order": 7, "_save": "Save"}
    assert client.post("/admin/blocks/blocktype/", data).status_code == 302
    block.refresh_from_db()
    assert (block.order, block.enabled) == (7, False)


def test_a_model_that_can_not_work_is_refused_at_its_field(form_of: Any) -> None:
    form = form_of(model="local:../../etc/passwd.gguf")
    assert list(form.errors) == ["model"]
    assert "AI_MODELS_DIR" in form.errors["model"][0]
