"""Makes a model's text storable."""

from __future__ import annotations


class TextCleaner:
    """Removes NUL and lone surrogates, so that any store and any encoder accepts the text.

    A surrogate pair split across two chunks is joined again.
    """

    def __init__(self) -> None:
        self._held = ""

    def clean(self, text: str) -> str:
        """Return the text to pass on now; may be empty."""
        if text.isascii() and not self._held:
            return text.replace("\0", "\ufffd") if "\0" in text else text
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return (
            text.replace("\0", "\ufffd")
            .encode("utf-16-le", "surrogatepass")
            .decode("utf-16-le", "replace")
        )

    def end(self) -> str:
        """Return a replacement for a held half of a pair that was never completed."""
        return "\ufffd" if self._held else ""
