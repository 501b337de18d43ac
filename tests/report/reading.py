"""Reads the paper as a person or a program does: the words of a sentence, the elements of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

MARK = re.compile(r'<a class="mark".*?</a>')


def plain(sentence: str) -> str:
    """The sentence without marks, tags and hard spaces."""
    text = re.sub(r"<[^>]+>", "", MARK.sub("", str(sentence)))
    return unescape(text).replace("\u00a0", " ")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element of a page in order, with its own text."""

    elements: list[Element] = field(default_factory=list)
    open_tags: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        self.open_tags.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open_tags and self.open_tags.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self.open_tags:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]


def page(html: str) -> Page:
    found = Page()
    found.feed(html)
    return found
