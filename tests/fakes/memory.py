"""A memory store for tests that run in an event loop, where opening and closing one may not block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from counselgraph.memory.store import MemoryStore


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[MemoryStore]:
    """A store on a folder, closed at the end."""
    store = await asyncio.to_thread(MemoryStore.open, folder)
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)
