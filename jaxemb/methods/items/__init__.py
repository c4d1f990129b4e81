"""Vectors of items from what users met: films, products, songs, anything with an id.

Example:
    import jaxemb
    from jaxemb import items

    users = ["ann", "ann", "ann", "bob", "bob", "bob", "cem", "cem", "eva", "eva"]
    films = ["Alien", "Aliens", "Heat", "Alien", "Aliens", "Jaws", "Heat", "Ronin", "Ronin", "Heat"]
    events = jaxemb.data.from_events(users, films, times=[3, 5, 9, 1, 2, 4, 1, 6, 2, 7])
    fitted = items.fit(0, events, items.Options(dim=4))
    print(fitted.vectors.nearest("Alien", 2))
    for film, score, because in items.recommend(fitted, events.history("cem"), k=2):
        print(film, round(score, 2), because)

Four methods, one result: weighted factorization (`ials`), ranking (`bpr`), item2vec and two towers
(`two_towers`). A user's vector, also a new user's, is made of the items that the user had, the
newest weighing most. Two towers learn vectors of features, too: `fit(..., features=[("Horror",
"1970s"), ...])` takes each item's, and `place_by_features` places one that nobody has had.
"""

from jaxemb.methods.items.fit import Fitted, fit, start
from jaxemb.methods.items.options import Method, Options
from jaxemb.methods.items.place import place, place_by_features
from jaxemb.methods.items.recommend import (
    Recommendation,
    encode,
    encode_events,
    recommend,
    scores,
)

__all__ = [
    "Fitted",
    "Method",
    "Options",
    "Recommendation",
    "encode",
    "encode_events",
    "fit",
    "place",
    "place_by_features",
    "recommend",
    "scores",
    "start",
]
