"""Takes the running text out of MediaWiki's markup."""

import html
import re
from collections.abc import Callable, Iterator

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Elements without running text begin so; a > may stand in quotes.
_ELEMENT = re.compile(
    r"<(ref|math|chem|gallery|timeline|score|syntaxhighlight|source|pre|table|imagemap|hiero"
    r"|templatestyles|section|includeonly|noinclude)\b(?:\"[^\"\n<]*\"|[^<>])*+>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?blockquote|/?poem)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# The innermost of templates and links; single braces and brackets may stand in them.
_TEMPLATE = re.compile(r"\{\{(?:[^{}]++|\{(?!\{)|\}(?!\}))*+\}\}")
_LINK = re.compile(r"\[\[((?:[^\[\]]++|\[(?!\[)|\](?!\]))*+)\]\]")
_HIDDEN = re.compile(
    r"\s*(?:(?:file|image|category|media|datei|bild|kategorie|fichier|catégorie)\s*:"
    r"|[a-z]{2,3}(?:-[a-z-]+)?:[^|]*$)",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(
    r"\[(?:https?:|ftp:|mailto:)?//[^\s\[\]]*+[^\S\n]*+([^\[\]\n]*+)\]", re.IGNORECASE
)
_URL = re.compile(r"\b(?:https?|ftp)://\S+", re.IGNORECASE)
_STYLE = re.compile(r"'{2,}|__[A-Z]+__")
# MediaWiki nests templates to a depth of 40.
_DEPTH = 50
# Headings, lists, indented lines, rows of tables, what is left of templates, rules.
_NO_PARAGRAPH = re.compile(r"\s*(?:[=*#:;|!<{}]|-{4})")


def paragraphs(markup: str) -> Iterator[str]:
    """Yields the paragraphs of an article, as plain text.

    Templates, tables, lists, headings, footnotes, formulas, captions and categories are left out;
    of links the words are kept that are shown.

    Args:
      markup: of one page.
    """
    text = _without_elements(_COMMENT.sub("", markup))
    text = _until_stable(_TEMPLATE, "", text)
    text = _until_stable(_LINK, _shown, text)
    text = _BREAK.sub("\n", text)
    text = _TAG.sub("", _URL.sub("", _OUTSIDE.sub(r"\1", text)))
    text = html.unescape(_STYLE.sub("", text))
    tables = 0
    for line in text.split("\n"):
        start = line.lstrip(": \t")
        if start.startswith("{|"):
            tables += 1
        elif start.startswith("|}"):
            tables = max(tables - 1, 0)
        elif not tables and line.strip() and not _NO_PARAGRAPH.match(line):
            yield line.strip()


def _without_elements(text: str) -> str:
    kept, end = [], 0
    never_closed: set[str] = set()  # behind here, so that nobody looks again
    for tag in _ELEMENT.finditer(text):
        name = tag[1].lower()
        if tag.start() < end or name in never_closed:
            continue
        closing = tag
        if not tag[0].endswith("/>"):
            found = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, tag.end())
            if found is None:
                never_closed.add(name)
                continue
            closing = found
        kept.append(text[end : tag.start()])
        end = closing.end()
    return "".join([*kept, text[end:]])


def _until_stable(
    pattern: re.Pattern[str], by: str | Callable[[re.Match[str]], str], text: str
) -> str:
    """Replaces innermost pairs first, until none is left."""
    for _ in range(_DEPTH):
        text, count = pattern.subn(by, text)
        if not count:
            break
    return text


def _shown(link: re.Match[str]) -> str:
    """Returns the words of a link that are shown: of [[a#b|c]] the last."""
    inside = link[1]
    if _HIDDEN.match(inside):
        return ""
    target, bar, label = inside.rpartition("|")
    return label if bar else label.lstrip(":")
