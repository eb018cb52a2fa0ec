"""What mail programs and web editors wrote in HTML, as text. Pure.

The same HTML gives the same text for ever: the text is part of changes that every reader of a helpdesk has to come to. So what is here is
plain on purpose, and whoever changes it changes what was read before. It never fails, whatever it is given.
"""

from html.parser import HTMLParser

_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", "table"))
"""Elements with an empty line around them."""

_LINES = frozenset(("div", "li", "tr", "dt", "dd", "section", "article", "header", "footer", "address", "hr"))
"""Elements that begin a new line."""

_UNSEEN = frozenset(("script", "style", "head", "title", "template"))


def to_text(html: str) -> str:
    """The text of a piece of HTML, in lines; an address that a link goes to stands behind the link's words."""
    parser = _Text()
    parser.feed(html.replace("\r\n", "\n"))
    parser.close()
    return parser.text()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._unseen = 0
        self._kept = 0
        self._links: list[tuple[str, int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins an element."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._lines.append("")
        elif tag in _APART:
            self._break(2)
            self._kept += tag == "pre"
        elif tag in _LINES:
            self._break(1)
            if tag == "li":
                self._lines[-1] = "- "
        elif tag in ("td", "th") and self._lines[-1]:
            self._lines[-1] += " "
        elif tag == "a":
            href = next((value for name, value in attrs if name == "href" and value), "") or ""
            self._links.append((href, len(self._lines) - 1, self._lines[-1]))

    def handle_endtag(self, tag: str) -> None:
        """Ends an element."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _APART:
            self._kept = max(0, self._kept - (tag == "pre"))
            self._break(2)
        elif tag in _LINES:
            self._break(1)
        elif tag == "a" and self._links:
            href, line, before = self._links.pop()
            words = self._lines[-1].removeprefix(before) if line == len(self._lines) - 1 else ""
            if href.startswith(("http://", "https://")) and words.strip() not in (href, href.rstrip("/")):
                self._lines[-1] += f" <{href}>"

    def handle_data(self, data: str) -> None:
        """Adds words; outside `pre`, white space is one blank."""
        if self._unseen:
            return
        if self._kept:
            first, *rest = data.split("\n")
            self._lines[-1] += first
            self._lines += rest
            return
        words = " ".join(data.split(None))
        start = " " if data[:1].isspace() and self._lines[-1] and not self._lines[-1].endswith(" ") else ""
        if not words:
            self._lines[-1] += start
            return
        self._lines[-1] += start + words + (" " if data[-1:].isspace() else "")

    def _break(self, lines: int) -> None:
        """Goes to the beginning of a line, with that many breaks since the last words."""
        if not any(line.strip() for line in self._lines):
            self._lines = [""]
            return
        while len(self._lines) > 1 and not self._lines[-1].strip() and not self._lines[-2].strip():
            self._lines.pop()
        if self._lines[-1].strip():
            self._lines.append("")
        if lines > 1 and self._lines[-2].strip():
            self._lines.append("")

    def text(self) -> str:
        """What has come so far."""
        return "\n".join(line.rstrip() for line in self._lines).strip("\n")
