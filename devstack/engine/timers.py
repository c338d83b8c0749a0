"""Timers: on catch events, boundary events and start events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from devstack.bpmn import model
from devstack.bpmn.timers import ENDLESS, Interval, TimerDefinition, TimerKind, parse_cycle
from devstack.engine import expressions, values
from devstack.engine.definitions import Definition
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Timer

OnTrigger = Callable[[Timer], None]


class Timers:
    """The timers of one partition: each rings once, a cycle again and again."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def create(
        self,
        definition: TimerDefinition,
        element: model.Element,
        instance: ElementInstance,
        variables: Mapping[str, Any],
        on_trigger: OnTrigger,
    ) -> None:
        """Set the timer of an event that waits at `instance`.

        Raises:
            ElementFailure: Its expression gives no duration, date or cycle.
        """
        due_ms, repetitions, interval = self._evaluate(definition, variables)
        key = self._partition.keys.next()
        timer = Timer(
            key,
            due_ms,
            repetitions,
            element,
            instance.definition,
            instance,
            interval,
        )
        instance.timer_keys.append(key)
        self._set(timer, on_trigger)

    def create_start(
        self,
        event: model.TimerStartEvent,
        definition: Definition,
        on_trigger: OnTrigger,
    ) -> None:
        """Set the timer of a start event; it sees no variables.

        Raises:
            ElementFailure: Its expression gives no date or cycle.
        """
        due_ms, repetitions, interval = self._evaluate(event.timer, {})
        key = self._partition.keys.next()
        timer = Timer(key, due_ms, repetitions, event, definition, None, interval)
        self._set(timer, on_trigger)

    def cancel(self, instance: ElementInstance) -> None:
        """Take back every timer that waits at `instance`."""
        for key in list(instance.timer_keys):
            self._cancel(self._partition.state.timers[key])
        instance.timer_keys.clear()

    def cancel_start(self, definition: Definition) -> None:
        """Take back the start timers of a definition that a newer version replaces."""
        for timer in list(self._partition.state.timers.values()):
            if timer.instance is None and timer.definition is definition:
                self._cancel(timer)

    def _evaluate(
        self,
        definition: TimerDefinition,
        variables: Mapping[str, Any],
    ) -> tuple[int, int, Interval | None]:
        """When it is due first, how often it rings, and for a cycle how long between."""
        now_ms = self._partition.clock.now_ms()
        match definition.kind:
            case TimerKind.DURATION:
                interval = expressions.interval(definition.expression, variables)
                return interval.after_ms(now_ms), 1, None
            case TimerKind.DATE:
                return expressions.date_time_ms(definition.expression, variables), 1, None
            case TimerKind.CYCLE:
                return self._evaluate_cycle(definition, variables, now_ms)

    def _evaluate_cycle(
        self,
        definition: TimerDefinition,
        variables: Mapping[str, Any],
        now_ms: int,
    ) -> tuple[int, int, Interval | None]:
        text = expressions.text(definition.expression, variables)
        try:
            cycle = parse_cycle(text)
        except ValueError as error:
            message = (
                f"Invalid cycle format '{text}' for expression '{definition.expression.text}'."
            )
            raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message) from error
        due_ms = cycle.start_ms if cycle.start_ms is not None else cycle.interval.after_ms(now_ms)
        return due_ms, cycle.repetitions, cycle.interval

    def _set(self, timer: Timer, on_trigger: OnTrigger) -> None:
        self._partition.state.timers[timer.key] = timer
        self._record("CREATED", timer)
        timer.alarm = self._partition.schedule.at(
            timer.due_ms,
            partial(self._trigger, timer, on_trigger),
        )

    def _trigger(self, timer: Timer, on_trigger: OnTrigger) -> None:
        self._partition.writer.command("TIMER", "TRIGGER", timer.key, values.timer(timer))
        self._record("TRIGGERED", timer)
        self._forget(timer)
        on_trigger(timer)
        self._repeat(timer, on_trigger)

    def _repeat(self, timer: Timer, on_trigger: OnTrigger) -> None:
        more = timer.repetitions == ENDLESS or timer.repetitions > 1
        if timer.interval is None or not more:
            return
        left = ENDLESS if timer.repetitions == ENDLESS else timer.repetitions - 1
        key = self._partition.keys.next()
        due_ms = self._next_due_ms(timer.due_ms, timer.interval)
        following = Timer(
            key,
            due_ms,
            left,
            timer.element,
            timer.definition,
            timer.instance,
            timer.interval,
        )
        if timer.instance is not None:
            timer.instance.timer_keys.append(key)
        self._set(following, on_trigger)

    def _next_due_ms(self, last_ms: int, interval: Interval) -> int:
        """What was missed is not made up for, and an interval of nothing lets others go on."""
        now_ms = self._partition.clock.now_ms()
        due_ms = interval.after_ms(last_ms)
        return due_ms if due_ms > now_ms else max(interval.after_ms(now_ms), now_ms + 1)

    def _cancel(self, timer: Timer) -> None:
        if timer.alarm is not None:
            timer.alarm.cancel()
        self._record("CANCELED", timer)
        self._forget(timer)

    def _forget(self, timer: Timer) -> None:
        self._partition.state.timers.pop(timer.key, None)
        if timer.instance is not None and timer.key in timer.instance.timer_keys:
            timer.instance.timer_keys.remove(timer.key)

    def _record(self, intent: str, timer: Timer) -> None:
        self._partition.writer.event("TIMER", intent, timer.key, values.timer(timer))
