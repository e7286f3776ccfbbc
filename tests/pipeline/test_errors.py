from __future__ import annotations

import pickle

import pytest

from pipeline import errors
from pipeline.errors import BuildError, DbtFailed, GataError, UnknownName


@pytest.mark.parametrize(
    "error",
    [
        *(kind("It is wrong.", "Mend it.") for kind in (GataError, BuildError, errors.GateFailed, errors.LandError)),
        UnknownName("metric", "spned", ["spend"]),
        DbtFailed("It is wrong.", "Mend it.", ["node"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_says_here_what_it_said_there(error: GataError) -> None:
    told = pickle.loads(pickle.dumps(error))
    assert type(told) is type(error)
    assert (str(told), vars(told)) == (str(error), vars(error))
