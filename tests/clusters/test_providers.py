from __future__ import annotations

import pytest

from clusters import providers
from clusters.errors import UsageError


def test_every_provider_of_the_table_is_found_by_its_name() -> None:
    assert all(providers.find(name) is provider for name, provider in providers.PROVIDERS.items())


def test_a_name_that_is_nearly_right_is_met_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"no provider 'embeded'.*embedded.*Did you mean 'embedded'\?"):
        providers.find("embeded")


def test_a_name_like_no_other_is_met_with_the_choices_alone() -> None:
    with pytest.raises(UsageError) as caught:
        providers.find("xyz")
    assert "embedded" in str(caught.value)
    assert "Did you mean" not in str(caught.value)
