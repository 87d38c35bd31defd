"""The stores of quality over one set of connections."""

from cti.storage.connections import Connections
from cti.storage.sql_judgements import SqlJudgements
from cti.storage.sql_quality_results import SqlQualityResults
from cti.storage.sql_review_queue import SqlReviewQueue
from cti.storage.sql_reviews import SqlReviews
from cti.storage.sql_rulebook import SqlRulebook


class SqlQuality:
    """Rules and cards, judgements, reviews, their queue, results."""

    def __init__(self, connections: Connections) -> None:
        self.rules = self.cards = SqlRulebook(connections)
        self.judgements = SqlJudgements(connections)
        self.reviews = SqlReviews(connections)
        self.queue = SqlReviewQueue(connections)
        self.results = SqlQualityResults(connections)
