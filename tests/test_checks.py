import numpy as np
import pytest

from jaxemb.checks import check_labels
from jaxemb.errors import InputError


def test_right_labels_pass():
    check_labels(np.array([0, 2, 1], np.uint8), 3, classes=3)
    check_labels(np.array([-7, 10**6]), 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3, 1]), r"label 3 at position 1 is outside \[0, 3\); 1 such"),
        (np.array([0, 2, -1]), r"label -1 at position 2 is outside \[0, 3\); 1 such"),
        (np.array(["a", "b", "c"]), "labels must be integers, found <U1; np.unique"),
        (np.array([True, False, True]), "labels must be integers, found bool"),
        (np.array([0, 1]), r"labels must be one for each of 3 rows, found \[2\]"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(InputError, match=message):
        check_labels(labels, 3, classes=3)
