"""The reference pages say what the code says."""

import pytest

from scripts.reference import FOLDER, PAGES, page


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_as_make_docs_would_make_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == page(name), "run `make docs`"
