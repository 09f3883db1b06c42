"""An administrator on the admin's pages, who logs in, fills in forms and sends them."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.support.servers.harness import ADMIN_PASSWORD
from tests.support.servers.visitor import Visitor

SWITCHES = "/admin/streaming/streamingsettings/"
STREAMS = "/admin/streaming/stream/"


class FormReader(HTMLParser):
    """Reads the fields of a page's main form with their values, including selected options."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.boxes: set[str] = set()  # also those that are not checked, and thus no fields
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and given.get("type") == "checkbox" and "name" in given:
            self.boxes.add(given["name"])
            if "checked" in given:
                self.fields[given["name"]] = given.get("value") or "on"
        elif tag == "input" and given.get("type") != "submit" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
            self.fields.setdefault(self._select, "")
        elif tag == "option" and "selected" in given and self._select:
            self.fields[self._select] = given.get("value", "")


class AdminBrowser(Visitor):
    """A visitor with the cookies of `admin`; see `harness.make_template`."""

    @classmethod
    async def log_in(cls, port: int, *, site: str = "") -> AdminBrowser:
        browser = cls(port, site=site)
        await browser.submit(
            "/admin/login/?next=/admin/", username="admin", password=ADMIN_PASSWORD
        )
        assert "sessionid" in browser.cookies
        return browser

    async def page(self, path: str) -> tuple[str, str]:
        """Load a page; also returns its path after all redirects."""
        while True:
            async with await self.open(path, headers={"Connection": "close"}) as client:
                await client.until(lambda c: c.has_ended)
                if client.status == 200:
                    return client.body.decode(), path
                assert client.status == 302, (path, client.status)
                path = client.headers["location"]

    async def submit(self, path: str, **changes: str) -> None:
        """Load a form, change some fields and send it; the response redirects the browser.

        A checkbox is "on" or "".

        Raises:
            AssertionError: the form lacks the field, or was not accepted.
        """
        page, path = await self.page(path)
        form = FormReader(page)
        unknown = set(changes) - set(form.fields) - form.boxes
        assert not unknown, f"no such fields: {unknown}"
        sent = {**form.fields, **changes}
        unchecked = {name for name in form.boxes if not sent.get(name)}
        await self._send(path, {name: sent[name] for name in sent.keys() - unchecked})

    async def act(self, path: str, action: str, key: str) -> None:
        """Run an action on one row of a list."""
        page, path = await self.page(path)
        assert f'value="{action}"' in page and f'value="{key}"' in page
        token = FormReader(page).fields["csrfmiddlewaretoken"]
        await self._send(
            path, {"csrfmiddlewaretoken": token, "action": action, "_selected_action": key}
        )

    async def _send(self, path: str, fields: dict[str, str]) -> None:
        async with await self.open(
            path,
            method="POST",
            data=urlencode(fields).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"},
        ) as client:
            await client.until(lambda c: c.has_ended)
            assert client.status == 302, client.body.decode()
