import pytest

from jaxemb.data.wiki_markup import paragraphs

ARTICLE = """{{Infobox city
| name = Bern
| map = {{Location map|x={0}|label=[[Bern]]}}
}}
[[File:Bern.jpg|thumb|The [[Aare|river]] in [[Bern]]]]
'''Bern''' ({{IPA|de|bɛrn}}) is the ''de facto'' [[Capital city|capital]] of [[Switzerland]].<ref>
{{cite web|url=http://x.y}}</ref><ref name="a>b"/> It has<!-- about
--> 134,794&nbsp;people &mdash; as [https://stat.ch/p?q=1 the office] says.[http://a.b]

== History ==
* a list of [[things]]
# and another
: an indented line
{| class="wikitable"
! heading
|-
| cell with text
{|
| inner table
|}
| after it
|}
The old town<br />lies in a [[meander]]; see http://bern.ch/old for more.
<gallery>
Image:A.jpg|Caption
</gallery>
<math>a < b</math><blockquote>"[W]e are bears", people said.</blockquote>
[[de:Bern]] [[:fr:Berne]]
[[Category:Capitals|Bern]]
__NOTOC__
----
"""


def test_the_running_text_of_an_article():
    assert list(paragraphs(ARTICLE)) == [
        "Bern () is the de facto capital of Switzerland. It has 134,794\xa0people — as the office "
        "says.",
        "The old town",
        "lies in a meander; see  for more.",
        '"[W]e are bears", people said.',
        "fr:Berne",
    ]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("a {{b {{c}} {{d|{{e}}}} }} f", ["a  f"]),
        ("a {{unclosed\n| x = 1\nb", ["a {{unclosed", "b"]),
        ("[[a|[[b|c]]]] d", ["c d"]),
        ("[[unclosed", ["[[unclosed"]),
        ("[[a#b|]]x", ["x"]),
        ("<ref>never closed", ["never closed"]),
        ("<!-- never closed", []),
        ("", []),
        ("a < b and c > d", ["a < b and c > d"]),
    ],
)
def test_odd_markup(markup, expected):
    assert list(paragraphs(markup)) == expected


def test_hostile_markup_takes_no_time():
    parts = ["{{", "{{a", "[[", "[[a|", "{|\n", "<ref", "<ref>", "<!--", "'" * 3, "{{a}}{", "}}{{"]
    for part in [*parts, "[//a", "[//a b"]:
        assert sum(map(len, paragraphs(part * 20_000))) <= len(part) * 20_000
    assert "".join(paragraphs("{{a" * 20_000 + "}}" * 20_000)) == ""
