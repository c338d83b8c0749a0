from __future__ import annotations

from datetime import date, datetime

from feel.functions.registry import Category
from feel.run import Run
from feel.temporal.arithmetic import days_in_month

TEMPORAL = Category("Temporal functions")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@TEMPORAL.function("now", "", ('now() > @"2020-01-01T00:00:00Z"', "true"), weight=5)
def now(_run: Run) -> datetime:
    """The present moment with the machine's offset; a function `now` of the caller replaces it."""
    return datetime.now().astimezone()


@TEMPORAL.function("today", "", ('today() > @"2020-01-01"', "true"), weight=5)
def today(_run: Run) -> date:
    """The present day; a function `today` of the caller replaces it."""
    return datetime.now().astimezone().date()


@TEMPORAL.function(
    "day of week",
    "date: date or date and time",
    ('day of week(date("2019-09-17"))', '"Tuesday"'),
)
def day_of_week(_run: Run, day: date) -> str:
    """The English name of the day of the week."""
    return _DAYS[day.weekday()]


@TEMPORAL.function(
    "day of year", "date: date or date and time", ('day of year(date("2019-09-17"))', "260")
)
def day_of_year(_run: Run, day: date) -> int:
    """The number of the day in its year, 1 to 366."""
    return day.timetuple().tm_yday


@TEMPORAL.function(
    "week of year", "date: date or date and time", ('week of year(date("2019-09-17"))', "38")
)
def week_of_year(_run: Run, day: date) -> int:
    """The number of the week in its year by ISO 8601, 1 to 53."""
    return day.isocalendar().week


@TEMPORAL.function(
    "month of year",
    "date: date or date and time",
    ('month of year(date("2019-09-17"))', '"September"'),
)
def month_of_year(_run: Run, day: date) -> str:
    """The English name of the month."""
    return _MONTHS[day.month - 1]


@TEMPORAL.function(
    "last day of month",
    "date: date or date and time",
    ('last day of month(date("2022-10-01"))', '@"2022-10-31"'),
)
def last_day_of_month(_run: Run, day: date) -> date:
    """The last day of the month of a date."""
    return date(day.year, day.month, days_in_month(day.year, day.month))
