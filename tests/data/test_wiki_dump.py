import bz2
import lzma

import pytest

from jaxemb.data.wiki_dump import write_text
from jaxemb.errors import InputError

PAGE = """  <page>
    <title>{title}</title>
    <ns>{ns}</ns>
    <id>1</id>{more}
    <revision><id>2</id><contributor><username>X</username></contributor>
      <text bytes="9" xml:space="preserve">{text}</text>
    </revision>
  </page>
"""
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">\n'
    "  <siteinfo><sitename>Wikipedia</sitename></siteinfo>\n"
)


def page(title, text, *, ns=0, more=""):
    return PAGE.format(title=title, text=text, ns=ns, more=more)


def dump(*pages):
    return (HEAD + "".join(pages) + "</mediawiki>\n").encode()


DUMP = dump(
    page("Bern", "'''Bern''' is a [[city]].\n\n== A ==\nIt's [[old]] &amp;amp; red.\n* x"),
    page("Berne", "#REDIRECT [[Bern]]", more='<redirect title="Bern" />'),
    page("Talk:Bern", "Hello there.", ns=1),
    page("Empty", "{{stub}}"),
    page("Été 2 (film)", "&lt;ref&gt;x&lt;/ref&gt;C'est l'été."),
)
TEXT = "bern\nbern is a city\nit's old red\n\nété 2 film\nc'est l'été\n\n"


def content(path):
    return lzma.decompress(path.read_bytes()).decode()


@pytest.mark.parametrize("pack", [bytes, bz2.compress], ids=["plain", "bz2"])
def test_articles_become_text(tmp_path, pack):
    (tmp_path / "d.xml").write_bytes(pack(DUMP))
    write_text([tmp_path / "d.xml"], tmp_path / "t.xz")
    assert content(tmp_path / "t.xz") == TEXT


def test_parts_follow_one_another(tmp_path):
    paths = [tmp_path / "1.bz2", tmp_path / "2.bz2"]
    for path in paths:
        path.write_bytes(bz2.compress(DUMP))
    write_text(paths, tmp_path / "t.xz")
    assert content(tmp_path / "t.xz") == 2 * TEXT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DUMP[:-20], "d.xml: is no dump of MediaWiki in XML, or is truncated: "),
        (b"not XML", "d.xml: is no dump of MediaWiki in XML, or is truncated: "),
        (bz2.compress(DUMP)[:-9], "d.xml: cannot be read or is damaged: "),
        (dump(page("A", "x", ns=4)), "d.xml: no article of Wikipedia is in there"),
    ],
)
def test_what_is_no_dump_is_refused(tmp_path, data, message):
    (tmp_path / "d.xml").write_bytes(data)
    with pytest.raises(InputError, match=message):
        write_text([tmp_path / "d.xml"], tmp_path / "t.xz")
