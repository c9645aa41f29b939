from __future__ import annotations

import pytest

from clusters.aks import names
from clusters.errors import UsageError


@pytest.mark.parametrize("name", ["a", "20261121t065534-ab12-1-35", "x" * 50])
def test_names_fit_what_azure_takes_and_lead_back_to_the_cluster(name: str) -> None:
    found = names.names_of(name)
    assert len(found.nodes) <= 80
    assert names.cluster_of_nodes(found.nodes) == name
    assert names.cluster_of_nodes(found.group) is None


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "x" * 51, "a/../b"])
def test_a_name_that_azure_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        names.names_of(name)


@pytest.mark.parametrize("group", ["unrelated", "unrelated-nodes", "build-conformance--nodes"])
def test_other_groups_lead_to_no_cluster(group: str) -> None:
    assert names.cluster_of_nodes(group) is None
