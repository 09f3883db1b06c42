"""Block types as a JSON document: export, and an import that is planned before it is applied.

    {"format": "liveai.blocks", "version": 1, "blocks": [{"slug": "quiz", "title": "Quiz", …}]}

Each block has the fields of a `BlockType`, by name; the slug says which one it is. An import
creates the block types that are not there, changes the others, and deletes none. What a block
leaves out stays as it is; a new one gets the default. Synchronous ORM.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from django.db import IntegrityError, models, transaction

from . import finite, versions
from .comparison import Change, compare
from .forms import FIELDS, JSON_FIELDS, BlockTypeForm, form_of, values_of
from .models import BlockType
from .schemas import MAX_DEPTH, depth_of
from .system_role import warning_of

FORMAT = "liveai.blocks"
VERSION = 1

MAX_FILE_BYTES = 1_000_000
"""A request may hold 1,048,576: the rest is for what is around a file."""

MAX_BLOCKS = 200
PROBLEMS_AT_MOST = 20

WHY = "import"

_LEVELS_OF_THE_DOCUMENT = 3  # around a schema: the document, its list, a block
_MEMBERS = {"format", "version", "blocks"}
_REQUIRED = ("slug", "title")


class ExportTooLarge(Exception):
    """The document would be larger than the admin imports."""


class ImportRefused(Exception):
    """The document can't be imported; nothing was changed.

    Args:
        problems: what is wrong, in sentences.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)[:PROBLEMS_AT_MOST]
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Entry:
    """What an import does to one block type."""

    kind: Literal["new", "changed", "same"]
    form: BlockTypeForm
    changes: list[Change]

    @property
    def block(self) -> BlockType:
        block: BlockType = self.form.instance
        return block

    @property
    def warning(self) -> str:
        return warning_of(self.block.system_prompt, self.block.options_schema)


@dataclass(frozen=True, slots=True)
class Plan:
    entries: list[Entry]

    @property
    def fingerprint(self) -> str:
        """Changes with anything that the import would do, so that nothing unseen is applied."""
        seen = [
            [entry.block.slug, entry.kind, [[c.field, c.old, c.new] for c in entry.changes]]
            for entry in self.entries
        ]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()

    def count(self, kind: str) -> int:
        return sum(entry.kind == kind for entry in self.entries)


def export(blocks: Iterable[BlockType], *, is_bounded: bool = False) -> str:
    """Return the document of these block types, in their order.

    Args:
        is_bounded: for an import with the same bounds.

    Raises:
        ExportTooLarge: it is beyond them.
    """
    values = [values_of(block) for block in blocks]
    document = {"format": FORMAT, "version": VERSION, "blocks": values}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if is_bounded and (len(values) > MAX_BLOCKS or len(text.encode()) > MAX_FILE_BYTES):
        raise ExportTooLarge
    return text


def plan(content: bytes, *, is_bounded: bool = True) -> Plan:
    """Check a document as the form does, and find out what importing it would change.

    Args:
        is_bounded: whether it has at most MAX_BLOCKS and MAX_FILE_BYTES.

    Raises:
        ImportRefused: all that is wrong with it, up to PROBLEMS_AT_MOST.
    """
    if is_bounded and len(content) > MAX_FILE_BYTES:
        _refuse(f"The file is larger than {MAX_FILE_BYTES:,} bytes.")
    blocks = _blocks_in(_read(content), at_most=MAX_BLOCKS if is_bounded else None)
    stored = {b.slug: b for b in BlockType.objects.filter(slug__in=[b["slug"] for b in blocks])}
    entries, problems = [], []
    for given in blocks:
        block = stored.get(given["slug"])
        old = values_of(block) if block is not None else {}
        form = form_of(old | given, block)
        if form.is_valid():
            changes = compare(old, values_of(form.instance))
            kind: Any = "new" if block is None else "changed" if changes else "same"
            entries.append(Entry(kind, form, changes))
            continue
        for field, errors in form.errors.items():
            problems += [f"Block “{given['slug'][:64]}”, {field}: {error}" for error in errors]
    if problems:
        raise ImportRefused(problems)
    return Plan(entries)


def apply(plan: Plan, *, by: Any = None) -> None:
    """Carry out a plan: all of it or nothing.

    Args:
        by: the user who imports; None for a command.

    Raises:
        ImportRefused: somebody else has created or deleted one of the block types meanwhile.
    """
    try:
        with transaction.atomic():
            for entry in plan.entries:
                if entry.kind != "same":
                    _save(entry, by)
    except IntegrityError:
        new = [entry.block.slug for entry in plan.entries if entry.kind == "new"]
        if not BlockType.objects.filter(slug__in=new).exists():
            raise  # for another reason
        _refuse("A block type was created meanwhile. Import the file again.")


def _save(entry: Entry, by: Any) -> None:
    block = entry.block
    fields = None if entry.kind == "new" else [change.field for change in entry.changes]
    is_saved = versions.save(block, by=by, why=WHY, fields=fields)
    if not is_saved and not BlockType.objects.filter(pk=block.pk).exists():
        _refuse(f"“{block.slug}” was deleted meanwhile. Import the file again.")


def _read(content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
        document = finite.loads(text)
        json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        _refuse("The file is nested too deep.")
    except UnicodeDecodeError:
        _refuse("The file is not UTF-8 text.")
    except UnicodeEncodeError:
        _refuse("The file contains unpaired surrogates.")
    except finite.NotFinite as error:
        _refuse(f"The file can’t be used: {error}.")
    except ValueError as error:
        _refuse(f"The file is not JSON: {error}")
    if depth_of(document, limit=MAX_DEPTH + _LEVELS_OF_THE_DOCUMENT) > (
        MAX_DEPTH + _LEVELS_OF_THE_DOCUMENT
    ):
        _refuse("The file is nested too deep.")
    return document


def _refuse(*problems: str) -> NoReturn:
    raise ImportRefused(problems)


def _blocks_in(document: Any, *, at_most: int | None) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(f"The file holds no block types: it needs “format”: “{FORMAT}”.")
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        _refuse(f"The file has another version than {VERSION}, which this site reads.")
    if unknown := set(document) - _MEMBERS:
        _refuse(f"Unknown members: {_listed(unknown)}.")
    blocks = document.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        _refuse("“blocks” must be a list of blocks.")
    if at_most is not None and len(blocks) > at_most:
        _refuse(f"“blocks” must be a list of at most {at_most} blocks.")
    if problems := [p for n, block in enumerate(blocks, 1) for p in _problems(n, block)]:
        _refuse(*problems)
    # The form strips them, too.
    found = [{**block, "slug": block["slug"].strip()} for block in blocks]
    counts = Counter(block["slug"] for block in found)
    if twice := [slug for slug, count in counts.items() if count > 1]:
        _refuse(f"More than one block has the slug {_listed(twice)}.")
    return found


def _problems(number: int, block: Any) -> list[str]:
    where = f"Block {number}"
    if not isinstance(block, dict):
        return [f"{where} is not an object."]
    problems = [f"{where}: “{name}” is missing." for name in _REQUIRED if name not in block]
    if unknown := set(block) - set(FIELDS):
        problems.append(f"{where}: unknown fields: {_listed(unknown)}.")
    return problems + [
        f"{where}, {name}: must be {wanted}."
        for name in FIELDS
        if name in block and (wanted := _wanted(name, block[name]))
    ]


def _wanted(name: str, value: Any) -> str:
    """Return the type that a value lacks: a form would read "no" as a true boolean."""
    field = BlockType._meta.get_field(name)
    if name in JSON_FIELDS:
        is_it = isinstance(value, Mapping) or (value is None and field.null)
        return "" if is_it else "an object"
    if isinstance(field, models.BooleanField):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(field, models.IntegerField):
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if isinstance(field, models.FloatField):
        is_it = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_it else "a number"
    if not isinstance(value, str):
        return "text"
    # Such a slug can't be looked for in PostgreSQL.
    return "text without NUL characters" if "\0" in value else ""


def _listed(names: Iterable[str]) -> str:
    shown = sorted(name[:64] for name in names)[:5]
    return ", ".join(f"“{name}”" for name in shown)
