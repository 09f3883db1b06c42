"""The order in which operators see the lists of the admin: by task instead of by app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Entry = dict[str, Any]
"""A list as Django describes it: `name`, `object_name`, `admin_url`, `add_url`, `view_only`, ..."""

GROUPS: Mapping[str, Sequence[str]] = {
    "Answers": ("streaming.Stream", "streaming.TranscriptRead", "streaming.ListRead"),
    "Blocks": ("blocks.BlockType",),
    "Switches and limits": ("streaming.StreamingSettings", "streaming.Limit"),
    "Costs": ("operating.ModelPrice",),
    "People": (
        "auth.User",
        "auth.Group",
        "accounts.Invitation",
        "account.EmailAddress",
        "api_tokens.ApiToken",
    ),
}
"""The lists of each group, by `app.Model`, in order."""

OTHER = "More"
"""The group of lists that no other group names."""


def group(apps: Iterable[Entry], pages: Mapping[str, Sequence[Entry]]) -> list[Entry]:
    """Return Django's list of apps in our groups, without empty ones.

    Args:
        apps: what the user may see, as `AdminSite.get_app_list` returns it.
        pages: further entries, which come first in their group.
    """
    found = {
        f"{app['app_label']}.{model['object_name']}": model
        for app in apps
        for model in app["models"]
    }
    groups = {
        title: [*pages.get(title, ()), *(found.pop(name) for name in names if name in found)]
        for title, names in GROUPS.items()
    }
    groups[OTHER] = list(found.values())
    return [
        {"name": title, "app_label": _label_of(title), "models": entries}
        for title, entries in groups.items()
        if entries
    ]


def page_entry(name: str, object_name: str, url: str) -> Entry:
    """Return the entry of a page that is no list of rows."""
    return {
        "name": name,
        "object_name": object_name,
        "admin_url": url,
        "add_url": None,
        "view_only": True,
    }


def _label_of(title: str) -> str:
    return title.lower().replace(" ", "-")
