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
