"""General rows among those of a domain."""

import random

import pytest

from finetune.dataset.mix import mix_general_data
from swarm.errors import DataError
from tests.finetune.dataset.samples import varied


@pytest.mark.requirement("S3-14")
@pytest.mark.parametrize(("ratio", "general"), [(0.2, 20), (0.5, 80), (0.0, 0), (0.33, 39)])
def test_the_share_of_general_rows_is_the_ratio(ratio: float, general: int) -> None:
    seed = random.randrange(10**6)
    domain, others = varied(seed, 80), varied(seed + 1, 200)
    mixed = mix_general_data(domain, others, ratio=ratio, seed=seed)
    ids = [s.id for s in mixed]
    assert len(set(ids)) == len(ids) == 80 + general, seed
    assert {s.id for s in domain} <= set(ids)
    assert mixed == mix_general_data(domain, others, ratio=ratio, seed=seed)
    if general > 1:
        assert mixed != mix_general_data(domain, others, ratio=ratio, seed=seed + 1), seed


@pytest.mark.requirement("S3-14")
def test_a_general_row_of_the_domain_is_not_counted_twice() -> None:
    domain = varied(1, 8)
    with pytest.raises(DataError, match=r"needs 2 general rows .* there are 1"):
        mix_general_data(domain, [*domain, *domain, *varied(2, 1) * 2], ratio=0.2)
    with pytest.raises(DataError, match="from 0 to 1"):
        mix_general_data(domain, domain, ratio=1.0)
