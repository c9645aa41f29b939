from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """Reads a page as a browser does: elements, attributes, texts, and what stands in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        match self.tags[-1] if self.tags else ("", {}):
            case ("script", attributes) if self.cdata_elem == "script":
                self.scripts.append((attributes, data))
            case ("style", _) if self.cdata_elem == "style":
                self.styles.append(data)
            case _:
                self.words.append(data)

    def details(self) -> list[dict[str, Any]]:
        return [
            record
            for attributes, text in self.scripts
            if attributes.get("class") == "block"
            for record in json.loads(text)
        ]

    def kept(self) -> list[Any]:
        found: list[Any] = json.loads(
            next(text for attributes, text in self.scripts if attributes.get("id") == "shared")
        )
        return found
