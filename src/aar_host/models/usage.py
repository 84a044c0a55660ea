"""What a model call used, in tokens, and what that costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aar_host.models.prices import Price

MILLION = 1e6


@dataclass(frozen=True)
class Usage:
    """Tokens by kind; no token is counted in two of them.

    Args:
        input: that were neither read from a cache nor written to it.
        cached_input: read from the provider's cache.
        cache_write: written to it.
        output: whatever the model wrote, its reasoning too.
        cache_write_hour: written to it for the longer term.
    """

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    cache_write_hour: int = 0

    @property
    def prompt(self) -> int:
        """All that the model read."""
        return self.input + self.cached_input + self.cache_write + self.cache_write_hour

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.prompt + self.output

    def dollars(self, price: Price) -> float:
        """At that price."""
        rate = price.for_prompt(self.prompt)
        cost = self.input * rate.input + self.cached_input * rate.cached_input
        cost += self.cache_write * rate.cache_write + self.output * rate.output
        cost += self.cache_write_hour * rate.cache_write_hour
        return cost / MILLION

    def most_dollars(self, price: Price) -> float:
        """As much as its tokens can cost, however the provider's cache takes the prompt."""
        rate = price.for_prompt(self.prompt)
        dearest = max(rate.input, rate.cached_input, rate.cache_write, rate.cache_write_hour)
        return (self.prompt * dearest + self.output * rate.output) / MILLION

    def as_dict(self) -> dict[str, float]:
        """As JSON; kinds that were not used are left out."""
        return {name: value for name, value in asdict(self).items() if value}
