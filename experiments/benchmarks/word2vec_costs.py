"""What experiments.benchmarks.word2vec measures of reading, starting and growing."""

import shutil
from functools import partial

from ..harness.tables import markdown
from .parts import Outcome
from .processes import Figures, take_turns
from .word2vec_runs import (
    Bench,
    Runs,
    bare_folder,
    child,
    corpus_file,
    encode,
    gensim_options,
    prefix_folder,
    run_python,
    start,
    train_jaxemb,
)


def encoding(bench: Bench) -> Outcome:
    """Times compressed text to a finished cache against Gensim's build_vocab."""
    setting = bench.setting
    source = corpus_file(bench, setting.corpus)
    source.read_bytes()  # neither system waits for the disk
    options = gensim_options(setting, "skipgram")

    def encode_afresh() -> Figures:
        fresh = bench.work / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        return encode(bench, setting.corpus, setting.data_dir, fresh)

    runs: Runs = {
        "gensim build_vocab": partial(child, bench, "count_gensim", compressed=source, **options),
        "jaxemb encode": encode_afresh,
    }
    measured = take_turns(setting.short_repeats, runs)
    peer, ours = (measured[name] for name in runs)
    rows = [
        (name, f"{found['seconds']:.2f}", f"{found['words']:,.0f}", f"{found['peak_mb']:,.0f}")
        for name, found in measured.items()
    ]
    ratio = ours["seconds"] / peer["seconds"]
    return Outcome(
        {
            "gensim_build_vocab_seconds": peer["seconds"],
            "encode_seconds": ours["seconds"],
            "encode_ratio": ratio,
            "gensim_build_vocab_peak_mb": peer["peak_mb"],
            "encode_peak_mb": ours["peak_mb"],
        },
        [
            *markdown(("system", "seconds", "words", "peak MB"), rows),
            "",
            f"jaxemb's encoding takes {ratio:.2f} times as long as Gensim's counting.",
        ],
    )


def startup(bench: Bench) -> Outcome:
    """Times a command on an encoded corpus up to its first training step, and the imports."""
    runs: Runs = {
        "first start": partial(start, bench, first=True),
        "second start": partial(start, bench),
    }
    modules = ", ".join(child(bench, "describe_jaxemb")["modules"])
    programs = {
        "import jax": "import jax",
        "import jax, jaxemb": f"import jax, {modules}",
    }
    runs |= {name: partial(run_python, bench, program) for name, program in programs.items()}
    measured = take_turns(bench.setting.short_repeats, runs)
    first, second, import_jax, import_all = (measured[name]["seconds"] for name in runs)
    rows = [
        (
            name,
            f"{found['seconds']:.2f}",
            f"{found['ready_seconds']:.2f}" if "ready_seconds" in found else "",
        )
        for name, found in measured.items()
    ]
    return Outcome(
        {
            "startup_first_seconds": first,
            "startup_second_seconds": second,
            "startup_first_ready_seconds": measured["first start"]["ready_seconds"],
            "startup_second_ready_seconds": measured["second start"]["ready_seconds"],
            "import_jax_seconds": import_jax,
            "import_all_seconds": import_all,
            "import_jaxemb_seconds": import_all - import_jax,
        },
        [
            *markdown(("process", "seconds", "of these after imports"), rows),
            "",
            f"Importing jaxemb takes {import_all - import_jax:.2f} s on top of JAX. The first "
            "start has nothing compiled; in both the corpus is encoded.",
        ],
    )


def scaling(bench: Bench) -> Outcome:
    """Trains on corpora of several lengths and with vocabularies of several sizes."""
    setting = bench.setting
    runs: Runs = {}
    for millions in setting.sizes:
        corpus, folder = prefix_folder(bench, millions)
        encode(bench, corpus, folder)
        runs[f"{corpus}, {millions:g} M words"] = partial(
            train_jaxemb, bench, "skipgram", 1, corpus=corpus, data_dir=folder
        )
    corpus = setting.vocabulary_corpus
    folder = bare_folder(bench, corpus)
    if setting.vocabularies:
        encode(bench, corpus, folder)
    flags = {"corpus": corpus, "data_dir": folder, "min_count": 1}
    for size in setting.vocabularies:
        runs[f"{corpus}, at most {size:,} words"] = partial(
            train_jaxemb, bench, "skipgram", 1, max_vocab=size, **flags
        )
    measured = take_turns(setting.repeats, runs)
    keys = [f"scaling_words_{millions:g}m" for millions in setting.sizes]
    keys += [f"scaling_vocabulary_{size}" for size in setting.vocabularies]
    figures: dict[str, float | None] = {}
    rows = []
    for key, (name, found) in zip(keys, measured.items(), strict=True):
        per_million = found["seconds"] / found["words"] * 1e6
        figures |= {
            f"{key}_seconds_per_million": per_million,
            f"{key}_entries": found["vocabulary"],
            f"{key}_peak_mb": found["peak_mb"],
        }
        words, entries = f"{found['words']:,.0f}", f"{found['vocabulary']:,.0f}"
        rows.append((name, words, entries, f"{per_million:.3f}", f"{found['peak_mb']:,.0f}"))
    header = ("corpus", "words", "vocabulary", "s per million words", "peak MB")
    return Outcome(
        figures,
        [
            *markdown(header, rows),
            "",
            "jaxemb, skip-gram, one epoch. All words of the corpus count, also those outside the "
            "vocabulary.",
        ],
    )
