from jaxemb.commands import cache, command_line


def test_the_cache_is_listed_and_cleared(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    home = tmp_path / "jaxemb"
    sizes = {"compiled/a": 3_000_000, "encoded/b/c": 200_000, "data/d": 5, "downloads/e": 400_000}
    for name, size in sizes.items():
        (home / name).parent.mkdir(parents=True)
        (home / name).write_bytes(bytes(size))
    # As write_pydocs names it.
    (home / "pydoc_words_1a2b.txt").write_bytes(bytes(100_000))
    assert command_line.main(cache.Config, cache.run, []) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{home / 'compiled'}: 3.0 MB of programs, kept"
    assert lines[1] == f"{home / 'encoded'}: 0.2 MB of texts as word ids, kept"
    assert lines[2] == f"{home / 'pydoc'}: 0.1 MB of docstrings of the installed libraries, kept"
    assert lines[3] == f"{home / 'downloads'}: 0.4 MB of archives of data sets, kept"
    assert command_line.main(cache.Config, cache.run, ["--clear", "encoded"]) == 0
    assert "texts as word ids, cleared" in capsys.readouterr().out
    assert (home / "compiled" / "a").exists()
    assert not (home / "encoded").exists()
    assert command_line.main(cache.Config, cache.run, ["--clear", "all"]) == 0
    assert [path.name for path in home.iterdir()] == ["data"]
