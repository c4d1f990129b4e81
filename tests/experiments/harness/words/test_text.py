import pytest
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import text as word_text
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb.errors import InputError


def test_flags_say_how_text_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "use_cache", lambda: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "mine.csv").write_bytes("n,text\n1,C++ Caf\u00e9\n2,d\0e\n".encode("cp1252"))
    flags = TextFlags(
        corpus=(str(tmp_path / "mine.csv"),),
        min_count=1,
        tokenizer="whitespace",
        keep_case=True,
        column="text",
        encoding="cp1252",
        errors="skip",
    )
    assert word_text.read(flags, command.Common()).vocabulary.words == ["C++", "Caf\u00e9", "de"]
    (tmp_path / "mine.txt").write_text("a b\nc\n\nd\n")
    flags = TextFlags(corpus=(str(tmp_path / "mine.txt"),), min_count=1, documents="paragraph")
    assert len(word_text.read(flags, command.Common()).corpus.documents) == 2


@pytest.mark.parametrize("fields", [{"errors": "ignore"}, {"documents": "page"}, {"column": 3}])
def test_bad_values_are_refused(fields):
    with pytest.raises(InputError, match=f"{next(iter(fields))} must be"):
        TextFlags(**fields)
