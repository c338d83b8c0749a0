from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connector.errors import Faults
from connector.operations import Endpoint
from connector.section import is_blank, nearest


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key of a search."""

    field: str
    order: Literal["ASC", "DESC"] = "ASC"


def read_sort(value: object, endpoint: Endpoint, faults: Faults) -> tuple[Sort, ...]:
    """Read a search's sort order: a list of fields with their order, or one alone."""
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    read = [_read_entry(f"sort[{at}]", entry, endpoint, faults) for at, entry in enumerate(entries)]
    return tuple(entry for entry in read if entry is not None)


def _read_entry(path: str, entry: object, endpoint: Endpoint, faults: Faults) -> Sort | None:
    if not isinstance(entry, Mapping):
        faults.add(path, 'is not an object as {"field": "startDate", "order": "DESC"}')
        return None
    for name in entry:
        if name not in {"field", "order"}:
            faults.add(f"{path}.{name}", f"is unknown; {nearest(name, ['field', 'order'])}")
    order = entry.get("order")
    # A tuple: what a task gives may be a list, which a set cannot be asked for.
    if order not in (None, "ASC", "DESC"):
        faults.add(f"{path}.order", "is not ASC or DESC")
    field = entry.get("field")
    if is_blank(field):
        faults.add(f"{path}.field", "is missing")
    else:
        _check_sortable(f"{path}.field", str(field), endpoint, faults)
    return Sort(str(field), "DESC" if order == "DESC" else "ASC")


def _check_sortable(path: str, name: str, endpoint: Endpoint, faults: Faults) -> None:
    sortable = [item for item, field in endpoint.fields.items() if field.sortable]
    if name in sortable:
        return
    if name in endpoint.fields:
        faults.add(path, f"{endpoint.name} cannot be sorted by this field")
    else:
        faults.add(path, f"is no field of {endpoint.name}; {nearest(name, sortable)}")
