from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was indexed.

    Attributes:
        index: name of its index.
        id: unique within the index; one that comes again takes its place.
        routing: decides the shard.
        source: the document itself.
        visible_at_s: when searches see it, on the monotonic clock.
    """

    index: str
    id: str
    routing: str
    source: Mapping[str, Any]
    visible_at_s: float

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """A field by its dotted name; None when there is none."""
        value: Any = self.source
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


@dataclass(slots=True)
class _Index:
    """An index; documents by id."""

    name: str
    alias: str
    shards: int
    documents: dict[str, Document] = field(default_factory=dict)

    def shard_of(self, routing: str) -> int:
        return zlib.crc32(routing.encode()) % self.shards


class Documents:
    """Indices with their aliases.

    Args:
        clock: for the visibility of documents.
        refresh_s: how long after it was indexed searches see a document; Elasticsearch's
            `index.refresh_interval`.
    """

    def __init__(self, clock: Clock, refresh_s: float = 1.0) -> None:
        self._clock = clock
        self._indices: dict[str, _Index] = {}
        self.refresh_s = refresh_s

    def put(
        self,
        index: str,
        alias: str,
        document_id: str,
        routing: str,
        source: Mapping[str, Any],
        *,
        shards: int = 1,
        late_s: float = 0.0,
    ) -> None:
        """Index a document; the index is made, with its alias, when it is the first.

        Args:
            index: name of the index.
            alias: what else the index is called.
            document_id: see `Document`.
            routing: see `Document`.
            source: see `Document`.
            shards: of the index, when it is made.
            late_s: seconds beyond the refresh until searches see it.
        """
        kept = self._indices.setdefault(index, _Index(index, alias, shards))
        visible_at_s = self._clock.monotonic_s() + self.refresh_s + late_s
        kept.documents[document_id] = Document(index, document_id, routing, source, visible_at_s)

    def drop(self, index: str) -> None:
        """Delete an index, as retention does."""
        del self._indices[index]

    def resolve(self, expression: str) -> tuple[list[str], list[str]]:
        """Indices that names between commas stand for, and those names that stand for none.

        A name may be an index, an alias or a pattern; a pattern may stand for none.
        """
        found: dict[str, None] = {}
        missing = []
        for name in expression.split(","):
            matches = [
                index.name
                for index in self._indices.values()
                if fnmatchcase(index.name, name) or fnmatchcase(index.alias, name)
            ]
            found.update(dict.fromkeys(matches))
            if not matches and "*" not in name:
                missing.append(name)
        return list(found), missing

    def visible(self, indices: Sequence[str], routing: str | None) -> Iterator[Document]:
        """What a search sees now, of all shards or of those that `routing` leads to."""
        now_s = self._clock.monotonic_s()
        for name in indices:
            index = self._indices[name]
            shards = None if routing is None else {index.shard_of(r) for r in routing.split(",")}
            for document in index.documents.values():
                is_asked = shards is None or index.shard_of(document.routing) in shards
                if is_asked and document.visible_at_s <= now_s:
                    yield document

    def shards(self, indices: Sequence[str], routing: str | None) -> int:
        """How many shards a search asks."""
        if routing is None:
            return sum(self._indices[name].shards for name in indices)
        return sum(
            len({self._indices[name].shard_of(r) for r in routing.split(",")}) for name in indices
        )

    def aliases(self) -> dict[str, str]:
        """The alias of each index."""
        return {index.name: index.alias for index in self._indices.values()}

    def count(self, index: str) -> int:
        """Documents of an index, visible or not."""
        return len(self._indices[index].documents)
