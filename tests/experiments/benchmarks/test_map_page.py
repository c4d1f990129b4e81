import pytest
from jaxemb.experiments.benchmarks import map_page

from jaxemb.errors import InputError


@pytest.mark.parametrize("part", ["words", "points"])
def test_the_page_that_is_measured_has_all_parts(tmp_path, part):
    config = map_page.Config(n=200)
    map_page.write_page(config, part, tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text()
    assert ("200 of 400 words" in page) == (part == "words")
    assert ("column 2" in page) == (part == "points")


def test_mistakes(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="n must be at least 100 and at most 100,000"):
        map_page.Config(n=200_000)
    monkeypatch.setattr(map_page.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="Chromium or chromedriver is not installed"):
        map_page.run(map_page.Config(out=tmp_path))
