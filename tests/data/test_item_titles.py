import pytest

from jaxemb.data.item_titles import Titles, read_titles
from jaxemb.errors import InputError

TABLE = """id,title,kinds,year
1,Alien,Horror|Sci-Fi,1979
2,"Good, the Bad, The",Western,1966
3,Hamlet,Drama,1990
4,Hamlet,Drama,1996
5,,(no genres listed),
"""


def test_titles_are_different_and_an_item_without_one_keeps_its_id(tmp_path):
    (tmp_path / "films.csv").write_text(TABLE)
    found = read_titles(tmp_path / "films.csv", ["3", "2", "5", "9", "4"])
    assert found.titles == ["Hamlet [3]", "Good, the Bad, The", "5", "9", "Hamlet [4]"]
    assert found.kinds == [("Drama",), ("Western",), (), (), ("Drama",)]
    labels, classes = found.classes(4)
    assert [classes[label] for label in labels] == ["Drama", "Western", "other", "other"]
    assert found.columns(2)["kinds"].tolist() == ["Drama", "Western"]


def test_an_items_color_is_its_rarest_kind(tmp_path):
    rows = [f"{i},film {i},{kinds}" for i, kinds in enumerate(["A|B", "A", "A|C", "B|A"])]
    (tmp_path / "films.csv").write_text("\n".join(["id,title,kinds", *rows]))
    labels, classes = read_titles(tmp_path / "films.csv", list("0123")).classes(4)
    assert [classes[label] for label in labels] == ["B", "A", "C", "B"]


def test_a_table_of_other_items_is_refused(tmp_path):
    (tmp_path / "films.csv").write_text(TABLE)
    with pytest.raises(InputError, match="has the title of none of 2 items, e.g. not of 'x'"):
        read_titles(tmp_path / "films.csv", ["x", "y"])
    (tmp_path / "one.csv").write_text("id\n1\n2\n")
    with pytest.raises(InputError, match="a column of ids and one of titles, found 1"):
        read_titles(tmp_path / "one.csv", ["1"])


def test_features_are_kinds_the_last_year_and_tags():
    titles = Titles(["One (1994) (2003)", "Two", "Six (1960)"], [("A", "B"), (), ()])
    assert titles.features() == [("A", "B", "2000s"), (), ("1960s",)]
    tagged = titles._replace(tags=[("slow",), ("odd",), ()])
    assert tagged.features() == [("A", "B", "2000s", "slow"), ("odd",), ("1960s",)]
