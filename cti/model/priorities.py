"""In which order calls come up for review. The smaller first."""

from typing import Final

from cti.model.keyword_rules import Severity

BY_SEVERITY: Final = {Severity.ALERT: 10, Severity.FLAG: 20}
BY_HAND: Final = 5
SAMPLED: Final = 30
