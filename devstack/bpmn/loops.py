"""Loops in which nothing ever waits: an instance in one would run for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from devstack.bpmn import model

_PASSING = (
    model.PassTask,
    model.ScriptTask,
    model.NoneThrowEvent,
    model.NoneStartEvent,
    model.NoneEndEvent,
    model.ExclusiveGateway,
    model.ParallelGateway,
    model.SubProcess,
    model.CallActivity,
    model.MultiInstanceBody,
)
_WORKING = (model.PassTask, model.ScriptTask, model.NoneThrowEvent, model.CallActivity)
"""A loop of gateways alone is let through, as Zeebe does."""

Place: TypeAlias = tuple[str, str]
"""A process's id and that of an element in it."""


def loop_without_wait(
    process: model.Process,
    processes: dict[str, model.Process],
) -> list[str]:
    """Ids along a loop made only of passing elements, one of them at least working."""
    graph = _passing(process, processes)
    _prune(graph)
    for place in graph:
        if isinstance(_inner(processes[place[0]].elements[place[1]]), _WORKING):
            loop = _way_back(place, graph)
            if loop:
                return loop
    return []


def _passing(
    process: model.Process,
    processes: dict[str, model.Process],
) -> dict[Place, list[Place]]:
    """Where a token goes on without waiting, from every place it can come to in this process."""
    graph: dict[Place, list[Place]] = {}
    open_places = [(process.id, element.id) for element in process.elements.values()]
    while open_places:
        place = open_places.pop()
        where = processes[place[0]]
        element = where.elements[place[1]]
        if place not in graph and isinstance(element, _PASSING):
            graph[place] = [
                (other.id, following.id)
                for other, following in _next(element, where, processes)
                if isinstance(following, _PASSING)
            ]
            open_places.extend(graph[place])
    return graph


def _prune(graph: dict[Place, list[Place]]) -> None:
    """Drop every place from which no loop can be reached, so that searching is quick."""
    before: dict[Place, list[Place]] = {place: [] for place in graph}
    left = {place: len(following) for place, following in graph.items()}
    for place, following in graph.items():
        for each in following:
            before[each].append(place)
    ends = [place for place, count in left.items() if count == 0]
    while ends:
        place = ends.pop()
        del graph[place]
        for each in before[place]:
            left[each] -= 1
            if left[each] == 0:
                ends.append(each)
    for place, following in graph.items():
        graph[place] = [each for each in following if each in graph]


def _way_back(start: Place, graph: dict[Place, list[Place]]) -> list[str]:
    """A way from `start` back to it, by depth-first search without recursion."""
    trail = [(start, iter(graph[start]))]
    seen = {start}
    while trail:
        place = next(trail[-1][1], None)
        if place is None:
            trail.pop()
        elif place == start:
            return [each[1] for each, _ in trail] + [start[1]]
        elif place not in seen:
            seen.add(place)
            trail.append((place, iter(graph[place])))
    return []


def _next(
    element: model.Element,
    process: model.Process,
    processes: dict[str, model.Process],
) -> Iterator[tuple[model.Process, model.Element]]:
    """Where a token goes on from a passing element without waiting."""
    activity = _inner(element)
    if isinstance(activity, model.SubProcess):
        yield process, process.elements[activity.start_id]
        return
    if isinstance(activity, model.CallActivity):
        called = processes.get(activity.called_process_id.text)
        if activity.called_process_id.is_static and called and called.none_start_id:
            yield called, called.elements[called.none_start_id]
        return
    if element is not activity and not isinstance(activity, _PASSING):
        return
    holder: model.Element | None = element
    while holder is not None and not holder.outgoing:
        holder = process.elements.get(holder.scope_id)
    for flow in holder.outgoing if holder is not None else ():
        yield process, process.elements[flow.target_id]


def _inner(element: model.Element) -> model.Element:
    return element.inner if isinstance(element, model.MultiInstanceBody) else element
