"""The durable memory of campaigns: schema, migrations, append-only ledger, one file per concept."""

from aar_host.store.database import Store, open_store, view_store
from aar_host.store.schema import Tier

__all__ = ["Store", "Tier", "open_store", "view_store"]
