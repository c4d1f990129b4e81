"""What a user's file or value can cause, and what a user's Ctrl-C does."""


class InputError(ValueError):
    """A file or value from outside is wrong; the message says what, where and what to do.

    Experiments turn it into one line on standard error and exit status 2. Anything else that
    escapes is a fault of ours.
    """


class UnknownWordError(InputError, KeyError):
    """A word has no vector; the message names words that are spelled like it."""

    __str__ = InputError.__str__  # KeyError's would quote the message


class StoppedEarly(UserWarning):
    """A signal ended a training; what it had learned until then is returned."""
