from __future__ import annotations

from collections.abc import Mapping

from connector.dates import api_date
from connector.errors import Faults
from connector.numbers import INT64_MAX, whole_number
from connector.operations import Endpoint, Field, Kind
from connector.section import nearest


def read_filter(value: object, endpoint: Endpoint, faults: Faults) -> Mapping[str, object] | None:
    """Read a search's filter: the API's own field names, values of their fields' types.

    The API ignores what it does not know and then returns everything, so here an unknown field is
    a fault. A null restricts nothing, as on the API.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        faults.add("filter", "is not an object")
        return None
    read: dict[str, object] = {}
    written_as: dict[str, str] = {}
    for name, item in value.items():
        field_name = endpoint.aliases.get(name, name)
        other = written_as.setdefault(field_name, name)
        converted = _read_value(endpoint, name, item, faults)
        if other != name and read[field_name] != converted:
            faults.add(f"filter.{name}", f"is the same field as {other}; keep one of them")
        read[field_name] = converted
    return read


def _read_value(endpoint: Endpoint, name: str, item: object, faults: Faults) -> object:
    field = endpoint.fields.get(endpoint.aliases.get(name, name))
    if field is None:
        known = [known for known, field in endpoint.fields.items() if field.filterable]
        hint = nearest(name, [*known, *endpoint.aliases])
        faults.add(f"filter.{name}", f"is no field of {endpoint.name}; {hint}")
        return None
    if not field.filterable:
        faults.add(f"filter.{name}", "cannot be filtered by: the API ignores it")
        return None
    if item is None:
        return None
    converted = _convert(field, item)
    if converted is None:
        faults.add(f"filter.{name}", f"is not {field.kind}")
    return converted


def _convert(field: Field, item: object) -> object | None:
    match field.kind:
        case Kind.INTEGER:
            number = whole_number(item)
            return number if number is not None and -INT64_MAX <= number <= INT64_MAX else None
        case Kind.BOOLEAN:
            return {"true": True, "false": False}.get(str(item).lower())
        case Kind.DATE:
            # Empty text restricts nothing on the API, as it does in every other field.
            return (api_date(item) if item else item) if isinstance(item, str) else None
        case Kind.TEXT:
            return item if isinstance(item, str) else None
