"""What traffic will be: Holt-Winters' additive method over the hours of a day.

Level, trend and season, each smoothed exponentially (Winters, "Forecasting Sales by Exponentially
Weighted Moving Averages", 1960). Before a whole season is known it forecasts the level and trend.
"""

from __future__ import annotations


class HoltWinters:
    """Forecasts a series with a season.

    Args:
        season: Values in a season, such as 24 hours of a day.
        level: Weight of the newest value in the level.
        trend: Weight of the newest change in the trend.
        seasonal: Weight of the newest deviation in the season.

    >>> model = HoltWinters(season=4)
    >>> for value in [10, 20, 30, 20] * 5:
    ...     model.observe(value)
    >>> [round(model.forecast(ahead)) for ahead in (1, 2, 3, 4)]
    [10, 20, 30, 20]
    """

    def __init__(
        self, season: int, level: float = 0.3, trend: float = 0.02, seasonal: float = 0.4
    ) -> None:
        self._season_length = season
        self._weights = (level, trend, seasonal)
        self._first: list[float] = []
        self._season: list[float] = []
        self._level = 0.0
        self._trend = 0.0
        self._seen = 0

    @property
    def knows_a_season(self) -> bool:
        """Whether a whole season has been seen."""
        return bool(self._season)

    def observe(self, value: float) -> None:
        """Take the next value into account."""
        if self._season:
            self._smooth(value)
        else:
            self._first.append(value)
            share = max(self._weights[0], 1.0 / len(self._first))
            self._level += share * (value - self._level)
            if len(self._first) == self._season_length:
                self._begin()
        self._seen += 1

    def forecast(self, ahead: int) -> float:
        """Return the value that is expected ``ahead`` steps after the newest, never below 0."""
        if not self._season:
            return max(0.0, self._level)
        place = (self._seen + ahead - 1) % self._season_length
        return max(0.0, self._level + ahead * self._trend + self._season[place])

    def _begin(self) -> None:
        mean = sum(self._first) / len(self._first)
        self._season = [value - mean for value in self._first]
        self._level = mean

    def _smooth(self, value: float) -> None:
        alpha, beta, gamma = self._weights
        place = self._seen % self._season_length
        before = self._level
        self._level = alpha * (value - self._season[place]) + (1 - alpha) * (before + self._trend)
        self._trend = beta * (self._level - before) + (1 - beta) * self._trend
        self._season[place] += gamma * (value - self._level - self._season[place])
