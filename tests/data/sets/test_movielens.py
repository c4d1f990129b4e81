import zipfile

import pytest

from jaxemb.data.prepare import find, prepare
from jaxemb.data.sets import movielens
from jaxemb.errors import InputError

RATINGS = (
    "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n2,31,4.0,835355493\n2,9,1,835355441\n"
)
MOVIES = 'movieId,title,genres\n31,"Dangerous Minds (1995)",Drama\n9,Sudden Death (1995),Action\n'


def test_the_archive_of_grouplens(tmp_path):
    with zipfile.ZipFile(tmp_path / "ml-latest-small.zip", "w") as archive:
        archive.writestr("ml-latest-small/ratings.csv", RATINGS)
        archive.writestr("ml-latest-small/movies.csv", MOVIES)
        archive.writestr("ml-latest-small/README.txt", "Terms")
    written = prepare(movielens.SOURCE, tmp_path / "data", [tmp_path / "ml-latest-small.zip"])
    assert [path.name for path in written] == ["movies.csv", "ratings.csv"]
    events, titles = movielens.read(tmp_path / "data")
    assert events.history(2) == ["9", "31"]
    assert titles.titles == ["Dangerous Minds (1995)", "Sudden Death (1995)"]
    assert len(find(movielens.SOURCE, tmp_path / "data")) == 2


def test_tags_of_events_to_be_predicted_are_left_out(tmp_path):
    folder = tmp_path / "movielens"
    folder.mkdir()
    rows = [(user, film, 0, when) for user in (1, 2) for when, film in enumerate((31, 9, 7, 5))]
    lines = ["userId,movieId,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
    (folder / "ratings.csv").write_text("\n".join(lines))
    (folder / "movies.csv").write_text(MOVIES)
    with pytest.raises(InputError, match="tags.csv"):
        movielens.tags(tmp_path, movielens.read(tmp_path)[0])
    (folder / "tags.csv").write_text(
        'userId,movieId,tag,timestamp\n1,31,Slow,9\n1,31,slow ,8\n2,9,"a, b",1\n2,31,dark,2\n'
        "1,7,leaks,1\n2,5,leaks,1\n3,5,unseen by,1\n"
    )
    events, titles = movielens.read(tmp_path)
    tags = dict(zip(events.item_names, movielens.tags(tmp_path, events), strict=True))
    assert tags == {"31": ("dark", "slow"), "9": ("a, b",), "7": (), "5": ("unseen by",)}
    assert "leaks" in movielens.tags(tmp_path, events, held=1)[events.item_names.index("7")]
    assert titles.tags is None


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(InputError, match="jaxemb data movielens"):
        movielens.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    events, titles = movielens.read(data_dir)
    assert (len(events.users), len(events.user_names), len(events.item_names)) == (
        100004,
        671,
        9066,
    )
    assert titles.titles[0] == "Forrest Gump (1994)"
    assert titles.kinds[0] == ("Comedy", "Drama", "Romance", "War")
