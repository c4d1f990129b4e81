import bz2

from jaxemb.data import open_text
from jaxemb.data.prepare import prepare
from jaxemb.data.sets import wikipedia

PAGE = (
    "<page><title>{}</title><ns>0</ns><revision><text>'''{}''' is a [[city]].\n\nIt is old."
    "</text></revision></page>"
)


def write_dump(path, *cities):
    pages = "".join(PAGE.format(city, city) for city in cities)
    path.write_bytes(bz2.compress(f"<mediawiki>{pages}</mediawiki>".encode()))


def test_a_dump_becomes_the_corpus(tmp_path, network):
    write_dump(tmp_path / "simplewiki-20260101-pages-articles.xml.bz2", "Bern", "Basel")
    (tmp_path / "simplewiki-20260101-sha1sums.txt").write_text("x")
    written = prepare(wikipedia.SIMPLE_SOURCE, tmp_path / "data", [tmp_path])
    source = wikipedia.find_simple(tmp_path / "data")
    assert list(source.files) == written
    text = open_text("simplewiki", data_dir=tmp_path / "data", min_count=1)
    assert text.vocabulary.words[:2] == ["is", "a"]


def test_names_of_wikimedia_s_files():
    names = [
        "enwiki-20260101-pages-articles1.xml-p1p41242.bz2",
        "enwiki-20260101-pages-articles-multistream1.xml-p1p41242.bz2",
        "enwiki-20260101-pages-articles10.xml-p1p41242.bz2",
        "enwiki-20260101-pages-articles.xml.bz2",
        "simplewiki-20260101-pages-articles.xml.bz2",
    ]
    for source, expected in (
        (wikipedia.ENGLISH_SOURCE, names[:1]),
        (wikipedia.SIMPLE_SOURCE, names[-1:]),
    ):
        (dump,) = source.downloads
        assert [name for name in names if dump.name.fullmatch(name)] == expected
        assert dump.folder.format(date=dump.name.fullmatch(expected[0])[1]).endswith("/20260101")
