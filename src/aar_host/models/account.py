"""A researcher's account: what its model calls may cost, and what they have cost."""

from __future__ import annotations

from aar_host.store import Store
from aar_host.store.actors import find_actor
from aar_host.store.spending import Bill, CallDraft, Spent, admit_call, settle_call, spent


class Account:
    """Of one researcher, or of the host's own monitor, in a campaign.

    Args:
        researcher: the name under which it acts; `UnknownName` if nobody does.
    """

    def __init__(self, store: Store, campaign: str, researcher: str) -> None:
        self._store, self._campaign, self.researcher = store, campaign, researcher
        self._actor = find_actor(store, campaign, researcher)

    def admit(self, draft: CallDraft) -> str:
        """Reserve a call; see `aar_host.store.spending.admit_call`."""
        return admit_call(self._store, self._campaign, self._actor, draft)

    def settle(self, call: str, bill: Bill) -> bool:
        """Charge a call that has ended; False if it was before."""
        return settle_call(self._store, call, bill)

    def spent(self) -> Spent:
        """What it has used."""
        return spent(self._store, self._campaign, self._actor)
