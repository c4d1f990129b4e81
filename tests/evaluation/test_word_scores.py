import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError
from jaxemb.evaluation.word_scores import evaluate

WORDS = ["Boy", "girl", "he", "boy", "she", "bad", "good", "worse", "better"]


@pytest.fixture
def small_sets(tmp_path):
    (tmp_path / "wordsim").mkdir()
    (tmp_path / "wordsim" / "sim_rw.csv").write_text(
        ",word1,word2,similarity\n0,boy,girl,7\n1,he,girl,3\n2,he,bad,1\n3,he,elf,1\n4,elf,yeti,1\n"
    )
    (tmp_path / "wordsim" / "sim_a-b.csv").write_text(",word1,word2,similarity\n0,elf,yeti,1\n")
    (tmp_path / "wordsim" / "cat_c-d.csv").write_text(
        ",category,word\n0,p,boy\n1,p,girl\n2,q,good\n3,q,elf\n"
    )
    (tmp_path / "questions-words.txt").write_text(
        ": family\nboy girl he she\nhe she boy girl\nelf girl he she\n"
        ": gram\nbad worse good better\n"
    )
    return tmp_path


def _vectors():
    """The rows of WORDS: the second axis is sex, the third degree; the second "boy" is far off."""
    return jnp.array(
        [[3, 1, 0], [3, -1, 0], [2, 1, 0.1], [0, 0, -9], [2, -1, 0.1]]
        + [[-1, 0.5, 1], [-2, 0, 1], [-1, 0.5, 3], [-2, 0, 3.0]]
    )


def test_each_set_has_a_name_and_a_count(small_sets):
    scores, report = evaluate(WORDS, _vectors(), small_sets)
    assert np.isnan(scores.pop("a_b"))
    assert scores == {
        "a_b_missing": 1,
        "rare_words": pytest.approx(1),
        "rare_words_missing": 2,
        "purity_c_d": 1,
        "purity_c_d_missing": 1,
        "analogies": 100,
        "analogies_mul": 100,
        "analogies_semantic": 100,
        "analogies_semantic_mul": 100,
        "analogies_syntactic": 100,
        "analogies_syntactic_mul": 100,
        "analogies_missing": 1,
    }
    rows = [line.split() for line in report.splitlines()]
    assert ["rare_words", "1.000", "3", "2"] in rows
    assert ["family", "100.00", "100.00", "2", "1"] in rows
    assert ["analogies", "100.00", "100.00", "3", "1"] in rows
    assert report.endswith("nan: too few known words, or nothing tells their scores apart")


def test_rare_words_are_not_asked(small_sets):
    scores, _ = evaluate(WORDS, _vectors(), small_sets, most_frequent=5)
    assert scores["analogies_missing"] == 2
    assert np.isnan(scores["analogies_syntactic"])


def test_no_sets(tmp_path):
    scores, report = evaluate(WORDS, _vectors(), tmp_path)
    assert scores == {}
    assert report.startswith(f"{tmp_path}: no wordsim/sim_*.csv")


def test_bad_vectors_are_named(tmp_path):
    with pytest.raises(InputError, match="8 words but 9 vectors"):
        evaluate(WORDS[1:], _vectors(), tmp_path)
    bad = _vectors().at[2, 1].set(jnp.inf).at[5, 0].set(jnp.nan)
    with pytest.raises(
        InputError, match=r"2 of 9 rows are not finite, the first is row 2 \('he'\)"
    ):
        evaluate(WORDS, bad, tmp_path)


@pytest.mark.data
def test_random_vectors_over_the_real_sets_score_as_chance(data_dir):
    sets = find_word_sets(data_dir)
    known = {word for s in sets.similarity for pair in s.pairs for word in pair}
    known |= {word for s in sets.analogies for q in s.questions for word in q}
    known |= {word for s in sets.categories for word in s.words}
    rng = np.random.default_rng(0)
    words = [str(word) for word in rng.permutation(sorted(known))]
    vectors = jnp.asarray(rng.normal(size=(len(words), 20)), jnp.float32)
    scores, report = evaluate(words, vectors, data_dir)
    assert {name.removesuffix("_missing") for name in scores if name.endswith("_missing")} == {
        *("men", "rare_words", "simverb_3500", "wordsim353_rel", "wordsim353_sim"),
        *("purity_ap", "purity_bless", "purity_essli_2008", "analogies"),
    }
    assert not any(scores[name] for name in scores if name.endswith("_missing"))
    assert ["analogies_semantic", "8869"] in [line.split()[::3] for line in report.splitlines()]
    assert ["analogies", "19544"] in [line.split()[::3] for line in report.splitlines()]
    # Four standard deviations of a correlation by chance, 1 / sqrt(pairs - 1).
    for name, pairs in (("men", 3000), ("rare_words", 2034), ("wordsim353_sim", 203)):
        assert abs(scores[name]) < 4 / np.sqrt(pairs - 1)
    # Chance is 1 in 6,000 words, but random vectors share directions between questions: 1 in 500.
    assert max(scores["analogies"], scores["analogies_mul"]) < 0.2
    # As many clusters as categories make chance far higher than the largest category's share.
    assert 21 / 402 < scores["purity_ap"] < 0.3

    unknown = evaluate(["nothing"], vectors[:1], data_dir).scores
    assert unknown["analogies_missing"] == 19544
    assert unknown["men_missing"] == 3000
