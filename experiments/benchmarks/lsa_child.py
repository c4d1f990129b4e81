"""What experiments.benchmarks.lsa measures in processes of their own.

`python -m experiments.benchmarks.lsa_child TASK JSON` prints its figures as a line of JSON.
Libraries are imported where they are needed, so that a process holds only those that it measures.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from jaxemb.data import cooccurrence, sparse_counts, vocabulary
from jaxemb.data.corpora import open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.vocabulary import Vocabulary

from ..harness.peak_memory import peak_mb
from .processes import Figures

MIN_COUNT = 5


def encode_text(*, corpus: str, data_dir: str, work: str) -> Figures:
    """Encodes the text, which the others then find done."""
    return {"words": _text(corpus, data_dir, work)[0].words}


def unique(*, corpus: str, data_dir: str, work: str) -> Figures:
    """Times one np.unique over as many keys as there are words."""
    text, _ = _text(corpus, data_dir, work)
    ids = text.read(0, text.words).astype(np.int64)
    keys = ids * len(text.vocabulary) + np.roll(ids, -1)
    began = time.perf_counter()
    np.unique(keys, return_counts=True)
    return {"seconds": time.perf_counter() - began, "keys": len(keys), "peak_mb": peak_mb()}


def count(*, corpus: str, data_dir: str, work: str, window: int, memory_limit: int) -> Figures:
    """Times counting, from the encoded text to the matrix on disk."""
    text, words = _text(corpus, data_dir, work)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        began = time.perf_counter()
        pairs = cooccurrence.windows(text, words, window=window)
        counts = sparse_counts.count(pairs, Path(folder), memory_limit=memory_limit)
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "pairs": counts.nnz, "peak_mb": peak_mb()}


def write_matrix(*, corpus: str, data_dir: str, work: str, window: int) -> Figures:
    """Writes the PPMI of windows for the others to decompose."""
    from jaxemb.factorize.ppmi import ppmi

    text, words = _text(corpus, data_dir, work)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        pairs = cooccurrence.windows(text, words, window=window)
        matrix = ppmi(sparse_counts.count(pairs, Path(folder), memory_limit=1_000_000_000))
    sparse.save_npz(Path(work, "matrix.npz"), matrix, compressed=False)
    return {"entries": matrix.nnz}


def scipy_svds(*, corpus: str, data_dir: str, work: str, rank: int) -> Figures:
    """Times SciPy's Lanczos iteration, to convergence, and keeps its values for the others."""
    from scipy.sparse.linalg import svds

    matrix = sparse.load_npz(Path(work, "matrix.npz")).astype(np.float64)
    began = time.perf_counter()
    values = svds(matrix, k=rank, random_state=0)[1][::-1]
    seconds = time.perf_counter() - began
    np.save(Path(work, "values.npy"), values)
    return {"seconds": seconds, "error": 0, "peak_mb": peak_mb(), "entries": matrix.nnz}


def sklearn_svd(*, corpus: str, data_dir: str, work: str, rank: int) -> Figures:
    """Times scikit-learn's TruncatedSVD with its defaults."""
    from sklearn.decomposition import TruncatedSVD

    matrix = sparse.load_npz(Path(work, "matrix.npz"))
    began = time.perf_counter()
    values = TruncatedSVD(rank, random_state=0).fit(matrix).singular_values_
    return _judged(values, time.perf_counter() - began, work, matrix.nnz)


def jaxemb_svd(*, corpus: str, data_dir: str, work: str, rank: int) -> Figures:
    """Times jaxemb's SVD, nothing compiled before."""
    import jax

    from jaxemb.factorize.svd import svd

    matrix = sparse.load_npz(Path(work, "matrix.npz"))
    began = time.perf_counter()
    found = jax.block_until_ready(svd(jax.random.key(0), matrix, rank=rank))
    return _judged(np.asarray(found.values), time.perf_counter() - began, work, matrix.nnz)


def _text(corpus: str, data_dir: str, work: str) -> tuple[EncodedCorpus, Vocabulary]:
    text = encode(open_corpus([corpus], Path(data_dir)), Path(work, "encoded"), progress=False)
    return text, vocabulary.truncate(text.vocabulary, min_count=MIN_COUNT)


def _judged(values: np.ndarray, seconds: float, work: str, entries: int) -> Figures:
    """Figures of a decomposition, with its largest error."""
    error = np.abs(values / np.load(Path(work, "values.npy")) - 1).max()
    return {
        "seconds": seconds,
        "error": float(error),
        "peak_mb": peak_mb(),
        "entries": entries,
    }


TASKS = {
    task.__name__: task
    for task in (encode_text, unique, count, write_matrix, scipy_svds, sklearn_svd, jaxemb_svd)
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
