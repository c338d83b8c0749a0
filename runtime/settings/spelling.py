from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from runtime.errors import Fault
from runtime.settings.base import Settings

_LOOKS_MISSPELT = 0.85
_NEAREST = 0.5


def unknown_names(
    settings_class: type[Settings], environ: Mapping[str, str], also_known: Sequence[str] = ()
) -> Iterator[Fault]:
    """A fault for each name under the class's prefixes that nothing reads."""
    known = _known_names(settings_class)
    allowed = (*settings_class.never_refused, *settings_class.also_known, *also_known)
    for name in sorted(environ):
        ours = name.startswith(settings_class.prefixes)
        if ours and name not in known and not _matches(name, allowed):
            nearest = _nearest(settings_class, name, _NEAREST)
            yield Fault(name, "is not a setting", _remedy(nearest))


def doubtful_names(settings_class: type[Settings], environ: Mapping[str, str]) -> Iterator[Fault]:
    """A warning for each name that may be meant for us and is not read.

    These are names that look like one of ours, though they cannot be refused (Camunda and
    Kubernetes set many of that form), and second spellings of a setting that has a first.
    """
    known = _known_names(settings_class)
    for name in sorted(set(environ) - known):
        if _is_near_us(settings_class, name):
            nearest = _nearest(settings_class, name, _LOOKS_MISSPELT)
            if nearest is not None:
                yield Fault(name, "is not read", _remedy(nearest))
    yield from _shadowed(settings_class, environ)


def _is_near_us(settings_class: type[Settings], name: str) -> bool:
    if name.startswith(settings_class.watched_prefixes):
        return True
    return name.startswith(settings_class.prefixes) and _matches(name, settings_class.never_refused)


def _shadowed(settings_class: type[Settings], environ: Mapping[str, str]) -> Iterator[Fault]:
    for _, _, variable in settings_class.fields():
        used = [name for name in variable.names if environ.get(name, "").strip()]
        if len({environ[name] for name in used}) > 1:
            for name in used[1:]:
                yield Fault(name, f"is not read, because {used[0]} is set", "remove one of the two")


def _known_names(settings_class: type[Settings]) -> frozenset[str]:
    return frozenset(name for _, _, variable in settings_class.fields() for name in variable.names)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _nearest(settings_class: type[Settings], name: str, least_ratio: float) -> str | None:
    """The known name most like `name`, compared without the prefix that all of ours share."""
    prefixes = settings_class.prefixes + settings_class.watched_prefixes
    prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
    # Sorted, so that the answer does not depend on the order of a set.
    known = {other.removeprefix(prefix): other for other in sorted(_known_names(settings_class))}
    near = get_close_matches(name.removeprefix(prefix), known, n=1, cutoff=least_ratio)
    return known[near[0]] if near else None


def _remedy(nearest: str | None) -> str:
    return f"did you mean {nearest}?" if nearest else "remove it, or look it up in the reference"
