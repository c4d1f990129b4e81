"""The one exception that a user's file or value can cause."""


class InputError(ValueError):
    """A file, flag or value from outside is wrong; the message says what, where and what to do.

    Experiments turn it into one line on standard error and exit status 2. Anything else that
    escapes is a fault of ours.
    """
