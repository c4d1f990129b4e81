import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments.harness.spaces import pictured, scores, styles

from jaxemb.models import picture_words


def test_a_fifth_is_held_out_and_parts_do_not_meet():
    parts = scores.split(np.arange(10, 60), (0, 1))
    assert (len(parts.known), len(parts.held)) == (40, 10)
    assert sorted(np.concatenate(parts).tolist()) == list(range(10, 60))
    np.testing.assert_array_equal(parts.held, scores.split(np.arange(10, 60), (0, 1)).held)
    assert (parts.held != scores.split(np.arange(10, 60), (0, 2)).held).any()


def test_common_words_are_of_three_pictures():
    lists = [["a", "b", "a"], ["a"], ["a", "b"], ["c"]]
    assert scores.common_words(lists) == ["a"]


def test_labels_are_ranked_by_hand():
    ranked = np.array([[3.0, 2, 1], [1, 2, 3], [9, 9, 9]])
    truth = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0]])
    # Ranks 1 and 3, then rank 3; the third picture has no label.
    expected = ((1 + 2 / 3) / 2 + 1 / 3) / 2
    assert scores.rank_labels(ranked, truth) == pytest.approx((0.5, expected))


def test_texts_without_a_known_word_find_nothing():
    seen = np.eye(4, dtype=np.float32)
    read = seen.copy()
    read[3] = np.nan
    texts = [["a"], ["b"], ["c"], ["d"]]
    figures = scores.both_ways(seen, read, texts, np.arange(4))
    assert figures["found_at_1"] == figures["told_at_1"] == 0.75
    assert figures["texts_without_known_word"] == 0.25
    # Equal texts are each other's.
    swapped = scores.both_ways(seen[[1, 0, 2]], seen[:3], [["a"], ["a"], ["c"]], np.arange(3))
    assert swapped["found_at_1"] == 1
    nothing = scores.both_ways(seen, np.full((4, 4), np.nan), texts, np.arange(4))
    assert nothing["told_at_10"] == 0


def drawn_pairs():
    """Sixty things in two styles: the second is the first, turned; a third says what they are."""
    rng = np.random.default_rng(0)
    kinds = np.arange(60) % 6
    shapes = np.eye(6)[kinds] * 2 + rng.normal(size=(60, 6)) * 0.25
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    styles = {"one": shapes, "two": shapes @ turn}
    descriptors = {name: [part.astype(np.float32)] * 6 for name, part in styles.items()}
    return descriptors, [[f"kind{kind}"] for kind in kinds]


def test_pictures_words_and_styles_find_one_another():
    descriptors, words = drawn_pairs()
    own = styles.Options(dim=6, directions=6, penalties=(0.01, 10.0), ridges=(0.01, 0.1))
    truth = picture_words.bags(words, scores.common_words(words))
    parts = scores.split(np.arange(60), (0, 0))
    penalty, ridge = scores.choose(descriptors, truth, parts.known, (0, 0, 1), own)
    assert penalty == 0.01
    figures = scores.judge(
        descriptors,
        words,
        words,
        truth,
        parts,
        own,
        penalty=penalty,
        ridge=ridge,
    )
    assert figures["precision"] > 0.9
    assert figures["found_at_1"] > 0.9
    assert figures["told_at_1"] > 0.9
    # Turned, the descriptors say nothing; learned from the others, the turn is undone.
    assert figures["styles_nearest"] > figures["styles_plain"] + 0.3


def test_one_style_has_no_bridge():
    descriptors, words = drawn_pairs()
    truth = picture_words.bags(words, scores.common_words(words))
    own = styles.Options(dim=6, penalties=(0.1,))
    chosen = scores.choose({"one": descriptors["one"]}, truth, np.arange(60), (0,), own)
    assert chosen == (0.1, None)


def test_a_text_is_the_sum_of_its_words():
    descriptors, words = drawn_pairs()
    tables = styles.tables(descriptors, np.arange(60))
    numbers = dataclasses.asdict(styles.Options(dim=6).space(0.1))
    space = picture_words.learn(list(tables.values()), words, **numbers)
    both = picture_words.encode_texts(space, [["kind0", "kind1", "kind1"], ["nothing"]])
    expected = space.vectors[0] + space.vectors[1]
    np.testing.assert_allclose(both[0], expected / np.linalg.norm(expected), atol=1e-5)
    assert np.isnan(both[1]).all()
    lengths = jnp.linalg.norm(picture_words.encode_described(space, tables["one"]), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


@pytest.mark.data
def test_real_emoji_and_their_words_find_one_another(data_dir):
    given = pictured.read_emoji(data_dir)
    labels = scores.common_words(given.keywords)
    assert (len(given.names), len(labels)) == (1094, 616)
    truth = picture_words.bags(given.keywords, labels)
    # One style will do, and takes a quarter of the time.
    descriptors = {"noto": picture_words.describe(given.images["noto"])}
    parts = scores.split(np.arange(1094), (0, 0))
    tables = styles.tables(descriptors, parts.known)
    learned = [table[parts.known] for table in tables.values()]
    numbers = dataclasses.asdict(styles.Options().space(0.3))
    told = picture_words.tell(
        learned, truth[parts.known], tables["noto"][parts.held], sharpness=3.0, penalty=0.3
    )
    words = [given.words[row] for row in parts.known]
    space = picture_words.learn(learned, words, **numbers)
    found = scores.both_ways(
        picture_words.encode_described(space, tables["noto"][parts.held]),
        picture_words.encode_texts(space, [given.texts[row] for row in parts.held]),
        given.texts,
        parts.held,
    )
    assert found["found_at_10"] > 0.4
    precision, mean_average = scores.rank_labels(told, truth[parts.held])
    assert precision > 0.46
    assert mean_average > 0.34
