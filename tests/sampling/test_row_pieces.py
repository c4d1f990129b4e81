import numpy as np
from scipy.sparse import csr_array

from jaxemb.sampling.row_pieces import LENGTH, PIECES, RowPieces


def test_every_entry_is_in_one_step_with_all_of_its_row():
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 3 * LENGTH, size=300)
    sizes[7], sizes[0], sizes[-1] = (PIECES + 3) * LENGTH - 5, 0, 0
    columns = int(sizes.max()) + 1
    dense = np.zeros((300, columns), np.float32)
    for row, size in enumerate(sizes):
        dense[row, rng.choice(columns, size, replace=False)] = rng.uniform(0.1, 2, size)
    pieces = RowPieces(csr_array(dense))
    assert pieces.pieces == PIECES + 3
    found, solved = np.zeros_like(dense), []
    for step in range(pieces.steps):
        rows, owners, ids, values = pieces.step(step)
        assert ids.shape == values.shape == (pieces.pieces, LENGTH)
        assert (np.diff(owners) >= 0).all()
        solved += rows[rows < 300].tolist()
        for piece, owner in enumerate(owners):
            if owner < pieces.pieces:
                listed = values[piece] >= 0
                found[rows[owner], ids[piece, listed]] += values[piece, listed]
            else:
                assert (values[piece] == -1).all()
    np.testing.assert_array_equal(found, dense)
    assert sorted(solved) == np.flatnonzero(sizes).tolist()
