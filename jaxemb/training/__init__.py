"""The training loop, what it is given, and its checkpoints.

Example:
    import jax
    from jaxemb import data, word2vec
    from jaxemb.training import Run

    text = data.from_tokens([["the", "cat", "sat"], ["a", "dog", "ran"]] * 50, min_count=1)
    options = word2vec.Options(dim=8, epochs=2, subsample=0)
    # Every five minutes a checkpoint, from which the same call goes on to the same bits.
    fitted = word2vec.fit(0, text, options, run=Run(checkpoints="checkpoints", progress=True))

    # A loop of your own takes the same steps, here one a call.
    training = word2vec.start(0, text, options)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, metrics = update(state, training.batch(step))
    same = training.finish(state)
    assert (same.vectors["cat"] == fitted.vectors["cat"]).all()

`state.py` has what a method gives to the loop, `run.py` what a user may, `loop.py` the loop,
`checkpoint.py` the files, `network.py` what all trainings of networks share.
"""

from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState, Unit, Update

__all__ = ["History", "Run", "TrainState", "Training", "Unit", "Update"]
