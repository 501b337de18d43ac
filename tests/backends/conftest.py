"""Kernels compiled by the tests are kept in a folder of their own, never in the user's."""

import pytest

from fundappraise.backends.numba_kernel import cache


@pytest.fixture(scope="session", autouse=True)
def kernels_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: folder)
        yield folder
