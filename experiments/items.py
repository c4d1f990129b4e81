"""Vectors of items from what users met: neighbors, a map, recommendations with reasons.

    python -m experiments.items --methods ials item2vec bpr --seeds 3

Two busy cores of an AMD EPYC, 8.1 minutes: HR@10 0.122, NDCG@10 0.064; item-kNN 0.107, 0.059.
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.atomic import replacing
from jaxemb.data.edges import read_edges
from jaxemb.data.events import Events, read_events
from jaxemb.data.files import file_sha256
from jaxemb.data.item_titles import Titles, read_titles
from jaxemb.data.sets import movielens
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError
from jaxemb.evaluation.recommendation import Held, hold_out
from jaxemb.methods import items
from jaxemb.progress import phase
from jaxemb.sampling import walks

from .harness import command, run_folder
from .harness.items import new_items, scores
from .harness.maps import drawing
from .harness.tables import markdown

# The line of the table in README.md, of entries of summary.json.
FIGURE = "HR@10 {ials_hits:.3f}, NDCG@10 {ials_gains:.3f}; item-kNN {knn_hits:.3f}, {knn_gains:.3f}"


@dataclasses.dataclass(frozen=True)
class Config:
    """Makes vectors of items from a table of users, items and times; of nodes from edges.

    Scores recommendations by each user's last event, then trains on all events and writes
    vectors.txt, fit/ (for jaxemb.io.load and `jaxemb predict`), map.html, map.png, table.md and
    summary.json to --out. `--recommend USER` tells a user's, also after the run is finished. With
    --edges, random walks are the users and nodes the items, learned by --method item2vec.
    """

    events: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A table with an event a row, in text, .parquet or .npy. None: MovieLens."""
    edges: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A table with an edge of a graph a row, instead."""
    directed: bool = False
    """Whether edges lead from the first node to the second alone."""
    columns: str | None = None
    """Columns of user, item, time and weight, or of two nodes and weight, names or numbers, with
    commas between; time and weight may be left out. Without a time the order in the file counts and
    nothing is scored. None: user,item,time; of edges the first two."""
    titles: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A table of items, their titles and, if there are any, their kinds with bars between, as
    movies.csv of MovieLens: its first three columns. two_towers learns from kinds, and from the
    decade of a year in brackets in the title."""
    layout: Layout = Layout()
    recommend: Annotated[str | None, tyro.conf.arg(metavar="USER")] = None
    """Whose recommendations are printed. None: those of three users."""
    options: items.Options = items.Options()
    walk: walks.Options = walks.Options()
    methods: tuple[items.Method, ...] = ()
    """Methods that are scored, with their defaults. None: --method alone."""
    decays: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0)
    """Values of decay, of which the best for the events before the last ones is taken. None:
    --decay as it is."""
    seeds: int = 1
    """Runs of each method that is scored, the first with --seed."""
    scored: int = 5000
    """Users who are scored, at most; of more, these are drawn."""
    drawn: int = 2000
    """Items on the map, those of most events."""
    common: command.Common = command.Common(out=Path("runs/items"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "seeds", at_least=1, at_most=100)
        checks.check_field(self, "scored", at_least=1)
        checks.check_field(self, "drawn", at_least=10)
        if any(not 0 < decay <= 1 for decay in self.decays):
            raise InputError(f"decays must be more than 0 and at most 1, found {self.decays}")
        if self.edges is not None and (self.events is not None or self.recommend is not None):
            raise InputError("edges have nodes, no events and no users to recommend to")


SMOKE = Config(options=items.Options(dim=4, epochs=2), decays=(0.5, 1.0), drawn=12)


def run(config: Config) -> None:
    """Reads, scores, trains, writes and draws."""
    command.use_cache()
    out = config.common.out
    options = config.options
    if config.edges is not None:
        options = dataclasses.replace(options, method="item2vec")
    events, titles, sha256 = read(config)
    features = features_of(config, titles)
    if config.recommend is not None:
        events.history(config.recommend)  # refuses an unknown one before anything is trained
    if not run_folder.open_run(out, config, sha256):
        if config.recommend is not None:
            show_users(config, io.load(out / "fit"), events)
        return
    tell(events)
    figures: dict[str, float] = {
        "users": len(events.user_names),
        "items": len(events.item_names),
        "events": len(events.users),
    }
    try:
        held = [hold_out(events, last=last) for last in (2, 1)]
    except InputError as error:
        print(f"nothing is scored: {error}")
    else:
        found, options = score(config, features, *(drawn_users(config, one) for one in held))
        figures |= found
    if titles is not None and any(titles.kinds) and config.edges is None:
        figures |= place_new(config, events, titles, options)
        if features is not None and options.method != "two_towers":
            found = place_new(config, events, titles, options_of(options, "two_towers"))
            figures |= {f"two_towers_{name}": value for name, value in found.items()}
    fitted = items.fit(
        config.common.seed,
        events,
        options,
        features=features_for(options, features),
        run=run_folder.engine_run(config.common),
    )
    run_folder.stop_if_asked(fitted.history)
    io.save(out / "fit", fitted)
    with phase("writing vectors.txt"):
        io.write(out / "vectors.txt", as_words(fitted.vectors.words), fitted.vectors.vectors)
    print("\nnearest items:")
    for name in fitted.vectors.words[:6]:
        print(f"  {name}: {'; '.join(other for other, _ in fitted.vectors.nearest(name, 4))}")
    if config.edges is None:
        show_users(config, fitted, events)
    draw(config, fitted, titles)
    run_folder.finish(out, figures)


def read(config: Config) -> tuple[Events, Titles | None, dict[str, str]]:
    """Reads events and titles, and names items by their titles.

    Returns:
      Events, titles, and the checksum of each file.
    """
    path, named, tagged = config.events, config.titles, None
    if config.edges is not None:
        path = config.edges
        columns = columns_of(config, "1,2")
        graph = read_edges(path, columns, config.layout, directed=config.directed)
        print(f"{len(graph.names):,} nodes, {graph.weights.nnz:,} edges with a direction")
        with phase("walking"):
            walked = walks.walk(config.common.seed, graph, config.walk)
            events = walks.as_events(walked, graph)
    elif path is not None:
        events = read_events(path, columns_of(config, "user,item,time"), config.layout)
    else:
        path = movielens.ratings(config.common.data_dir)
        named = named or movielens.films(config.common.data_dir)
        events = read_events(path, movielens.COLUMNS)
        if uses_features(config):
            tagged = movielens.tagged(config.common.data_dir)
    sha256 = {str(one): file_sha256(one) for one in (path, named, tagged) if one is not None}
    if named is None:
        return events, None, sha256
    titles = read_titles(named, events.item_names, config.layout)
    if tagged is not None:
        titles = titles._replace(tags=movielens.tags(config.common.data_dir, events))
    return events._replace(item_names=titles.titles), titles, sha256


def features_of(config: Config, titles: Titles | None) -> list[tuple[str, ...]] | None:
    """Returns what two_towers is to know of each item; None if it is not asked for.

    Raises:
      InputError: if nothing is known.
    """
    if not uses_features(config):
        return None
    features = [] if titles is None else titles.features()
    if not any(features):
        raise InputError(
            "two_towers needs features of items: give titles, a table of items, titles and kinds"
        )
    return features


def uses_features(config: Config) -> bool:
    """Tells whether two_towers is asked for."""
    return "two_towers" in (config.options.method, *config.methods)


def features_for(
    options: items.Options, features: list[tuple[str, ...]] | None
) -> list[tuple[str, ...]] | None:
    """Returns the features for a method that learns from them, None for the others."""
    return features if options.method == "two_towers" else None


def options_of(own: items.Options, method: items.Method) -> items.Options:
    """Returns the options asked for, or the defaults of another method."""
    return own if method == own.method else items.Options(method=method, dim=own.dim)


def columns_of(config: Config, usual: str) -> tuple[str, ...]:
    """Returns the columns asked for."""
    return tuple(name.strip() for name in (config.columns or usual).split(","))


def tell(events: Events) -> None:
    """Prints how many there are."""
    sizes = np.diff(events.starts)
    print(
        f"{len(events.users):,} events of {len(events.user_names):,} users and "
        f"{len(events.item_names):,} items; a user has {int(np.median(sizes)):,} in the median"
    )


def drawn_users(config: Config, held: Held) -> Held:
    """Returns no more users than are to be scored, drawn by the seed."""
    if len(held.users) <= config.scored:
        return held
    rng = np.random.default_rng(config.common.seed)
    rows = np.sort(rng.choice(len(held.users), config.scored, replace=False))
    return held._replace(users=held.users[rows], targets=held.targets[rows])


def score(
    config: Config, features: list[tuple[str, ...]] | None, validation: Held, test: Held
) -> tuple[dict[str, float], items.Options]:
    """Scores methods and baselines, prints them and writes table.md.

    Returns:
      Figures, and the options with the decay that was chosen.
    """
    out, own = config.common.out, config.options
    told = f"{len(test.users):,} users are scored by their last events"
    if test.short or test.repeated:
        told += (
            f"; not {test.short:,} with fewer than 3, nor {test.repeated:,} whose last item they "
            "had had before"
        )
    print(told)
    decays = config.decays or (own.decay,)
    rows, figures = {}, {"scored_users": float(len(test.users))}
    for name, score_of in scores.baselines(own.dim, config.common.seed).items():
        try:
            with phase(f"scoring {name}"):
                rows[name] = [scores.choose(score_of, decays, validation, test)]
        except InputError as error:
            print(f"{name} is left out: {error}")
    wanted = dict.fromkeys((own.method, *config.methods))
    for method in wanted:
        options = options_of(own, method)
        rows[method] = [
            score_once(config, options, features, seed, validation, test, decays)
            for seed in range(config.common.seed, config.common.seed + config.seeds)
        ]
    lines = markdown(
        ("", "decay", "validation HR@10", "NDCG@10", "test HR@10", "95%", "NDCG@10", "95%"),
        [scores.row(name, several) for name, several in rows.items()],
        figures=True,
    )
    print("\n" + "\n".join(lines))
    with replacing(out / "table.md") as part:
        part.write_text("\n".join(lines) + "\n")
    for name, several in rows.items():
        figures |= scores.figures(scores.SHORT.get(name, name), several)
    return figures, dataclasses.replace(own, decay=rows[own.method][0].decay)


def score_once(
    config: Config,
    options: items.Options,
    features: list[tuple[str, ...]] | None,
    seed: int,
    validation: Held,
    test: Held,
    decays: tuple[float, ...],
) -> scores.Scored:
    """Trains for the validation and for the test, with a decay that the former chooses."""

    def score_of(held: Held) -> Callable[[float], scores.Scores]:
        part = "validation" if held is validation else "test"
        folder = config.common.out / "scored" / f"{options.method}_seed{seed}_{part}"
        ran = run_folder.engine_run(config.common, folder)
        told = features_for(options, features)
        fitted = items.fit(seed, held.known, options, features=told, run=ran)
        run_folder.stop_if_asked(fitted.history)

        def faded_to(decay: float) -> scores.Scores:
            faded = fitted._replace(options=dataclasses.replace(options, decay=decay))
            users = items.encode_events(faded, held.known)
            return lambda some: items.scores(faded, users[some])

        return faded_to

    return scores.choose(score_of, decays, validation, test)


def place_new(
    config: Config, events: Events, titles: Titles, options: items.Options
) -> dict[str, float]:
    """Places items that were held out, from their kinds, and prints how well.

    Returns:
      Figures.
    """
    folder = config.common.out / "scored" / f"{options.method}_new_items"
    ran = run_folder.engine_run(config.common, folder)
    decays = config.decays or (options.decay,)
    found = new_items.score(config.common.seed, events, titles, options, ran, decays=decays)
    if found is None:
        return {}
    ridge = "" if found.penalty is None else f"ridge {found.penalty:g}, "
    print(
        f"\n{found.items:,} new items, placed from kinds and decade by {options.method} ({ridge}"
        f"decay {found.decay:g}): users are nearer to theirs than to others in {found.area:.1%} of "
        f"pairs; by kinds alone in {found.of_kinds:.1%}, by popularity, if it were known, in "
        f"{found.of_counts:.1%}"
    )
    figures = {name: value for name, value in found._asdict().items() if value is not None}
    return {f"new_{name}": float(value) for name, value in figures.items()}


def as_words(names: list[str]) -> list[str]:
    """Returns names as text files of vectors can have them: without blanks, still different."""
    taken = set(names)
    words = []
    for name in names:
        word = "_".join(name.split())
        while word != name and word in taken:
            word += "_"
        taken.add(word)
        words.append(word)
    return words


def show_users(config: Config, fitted: items.Fitted, events: Events) -> None:
    """Prints recommendations with reasons."""
    users, count = events.user_names[:3], 3
    if config.recommend is not None:
        users, count = [config.recommend], 10
    for user in users:
        history = events.history(user)
        print(f"\nuser {user}, last: {'; '.join(history[:-4:-1])}")
        for item, cosine, because in items.recommend(fitted, history, count):
            reasons = "; ".join(other for other, _ in because[:2])
            print(f"  {cosine:.2f}  {item}, as {reasons}")


def draw(config: Config, fitted: items.Fitted, titles: Titles | None) -> None:
    """Draws the items of most events, colored by their kinds."""
    names = fitted.vectors.words[: config.drawn]
    labels, classes = (None, []) if titles is None else titles.classes(len(names))
    drawing.draw_space(
        config.common,
        fitted.vectors.vectors[: config.drawn],
        names=names,
        labels=labels,
        classes=classes,
        columns=None if titles is None else titles.columns(len(names)),
        title=f"{len(names):,} items by {fitted.options.method}, by t-SNE",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
