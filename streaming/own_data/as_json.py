"""An export as JSON, for programs. Source: contracts/stream-schema.yaml, `export`."""

from __future__ import annotations

import json
from typing import Any

from .form import Document


class JSONForm:
    content_type = "application/json"
    extension = "json"

    def begin(self, account: dict[str, Any] | None, exported_at: str) -> str:
        head = _dump({"exported_at": exported_at, "account": account})
        return f'{head[:-1]}, "answers": ['

    def answer(self, document: Document, number: int, title: str) -> str:
        return f"{'' if number == 1 else ','}\n{_dump(document)}"

    def end(self, count: int) -> str:
        return "\n]}\n"


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
