"""How a measured quantity grows, whatever single readings do."""

import statistics
from collections.abc import Sequence
from itertools import combinations


def theil_sen(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between all pairs of points (Theil 1950, Sen 1968).

    Up to 29 % of the readings may be anything without moving it, which a collector's saw teeth and
    a single large study would do to a line of least squares.

    >>> theil_sen([(0, 0), (1, 2), (2, 4), (3, 99)])
    2.0
    """
    slopes = [
        (later - earlier) / (end - start)
        for (start, earlier), (end, later) in combinations(points, 2)
        if end != start
    ]
    return float(statistics.median(slopes))
