"""A person's clicks in a real Chromium, as `docs/operate/` names them."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.support.guides.steps import Choose, Click, Command, Open, See, Step, Tick, Type
from tests.support.servers.harness import ADMIN_PASSWORD

STEP_MS = 20_000
PLACES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
Pressed = Literal["button", "link", "tab", "menuitem", "radio"]
Field = Literal["textbox", "searchbox", "combobox", "spinbutton", "checkbox"]
PRESSED: tuple[Pressed, ...] = ("button", "link", "tab", "menuitem", "radio")
FIELDS: tuple[Field, ...] = ("textbox", "searchbox", "combobox", "spinbutton", "checkbox")


class Person:
    """An administrator at a browser.

    Args:
        page: an open page.
        url: the address of the site, without a slash at its end.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.said: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def do(self, step: Step) -> None:
        """Take one step.

        Raises:
            AssertionError: what it names is not on the page within `STEP_MS`.
        """
        match step:
            case Open(path):
                self._open(path)
            case Click(name, beside):
                self._pressed(name, self._row(beside) if beside else None).click()
            case Type(text, field):
                self._field(field).fill(text)
            case Choose(option, field):
                self._field(field).select_option(label=option)
            case Tick(field, is_on):
                self._field(field).set_checked(is_on)
            case See(words, is_there):
                found = self.page.get_by_text(words).filter(visible=True)
                if is_there:
                    expect(found.first).to_be_visible(timeout=STEP_MS)
                else:
                    expect(found).to_have_count(0, timeout=STEP_MS)
            case Command():
                raise TypeError("a command is for a terminal")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.said.append(message.text)

    def _open(self, path: str) -> None:
        self.page.goto(self.url + path)
        if "/login/" in self.page.url:
            self.page.get_by_label("Name", exact=True).fill("admin")
            self.page.get_by_label("Password", exact=False).first.fill(ADMIN_PASSWORD)
            self.page.get_by_role("button", name="Sign in").click()

    def _row(self, words: str) -> Locator:
        rows = self.page.locator("tr, li").filter(has_text=words, visible=True)
        return rows.last  # the innermost, where lists are nested

    def _pressed(self, name: str, within: Locator | None) -> Locator:
        """Find what can be pressed: by its whole name, or by words of it.

        What the page is about comes before its navigation.
        """
        places: list[Locator | Page] = [self.page.locator("main"), self.page]
        if within is not None:
            places = [within]
        return self._first(
            [
                place.get_by_role(role, name=name, exact=is_whole)
                for is_whole in (True, False)
                for place in places
                for role in PRESSED
            ]
        )

    def _field(self, name: str) -> Locator:
        label = re.compile(rf"^\s*{re.escape(name)}:?\s*$")
        by_role = [self.page.get_by_role(role, name=label) for role in FIELDS]
        # A group of fields may have the same label as one of them.
        controls = self.page.locator("input, select, textarea")
        return self._first([controls.and_(self.page.get_by_label(label)), *by_role])

    def _first(self, candidates: Sequence[Locator]) -> Locator:
        """Wait until one of them is visible; return the earliest in this order."""
        shown = [each.filter(visible=True) for each in candidates]
        any_of_them = functools.reduce(lambda one, other: one.or_(other), shown)
        expect(any_of_them.first).to_be_visible(timeout=STEP_MS)
        return next(each.first for each in shown if each.count())


@contextmanager
def at_a_browser(url: str) -> Iterator[Person]:
    """Open a browser; at the end, it must not have shown an error.

    Args:
        url: the address of the site.

    Raises:
        AssertionError: a page logged an error, or threw one.
    """
    with sync_playwright() as playwright:
        # Any name leads to this machine. Nobody signed its certificate.
        rules = "--host-resolver-rules=MAP * 127.0.0.1"
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", rules]
        )
        try:
            page = browser.new_page(
                viewport={"width": 1280, "height": 900}, ignore_https_errors=True
            )
            person = Person(page, url)
            yield person
        finally:
            browser.close()
    assert person.said == [], person.said


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PLACES)), None)
    assert found, "There is no Chromium. scripts/test installs one, or name it: CHROMIUM=/path."
    return found
