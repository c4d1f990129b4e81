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

Three methods, one result: weighted factorization (`ials`), ranking (`bpr`) and item2vec. A user's
vector, also a new user's, is made of the items that the user had, the newest weighing most.
"""

from jaxemb.methods.items.fit import Fitted, fit, start
from jaxemb.methods.items.options import Method, Options
from jaxemb.methods.items.place import place
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
    "recommend",
    "scores",
    "start",
]
