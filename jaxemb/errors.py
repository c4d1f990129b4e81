"""What a user's file or value can cause, and what a user's Ctrl-C does."""


class InputError(ValueError):
    """A file or value from outside is wrong; the message says what, where and what to do.

    Experiments turn it into one line on standard error and exit status 2. Anything else that
    escapes is a fault of ours.
    """


class StoppedEarly(UserWarning):
    """A signal ended a training; what it had learned until then is returned."""
