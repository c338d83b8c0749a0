from __future__ import annotations

import re

_DATE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<millis>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)(?:\[[\w/+-]+\])?(?P<rounding>\|\|/[yMwdHhms])?",
    re.ASCII,
)


def api_date(text: str) -> str | None:
    """`text` in the one form that the API's filters understand; None when it is no such date.

    The API takes `2024-02-15T22:40:10.834+0000`, with `||/d` behind it for that whole day (and so
    on for the other units), and answers any other form with status 500. FEEL writes dates with a
    colon or a name in the zone, and without milliseconds when there are none.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    millis = (match["millis"] or "").ljust(3, "0")[:3]
    zone = "+0000" if match["zone"] == "Z" else match["zone"].replace(":", "")
    return f"{match['day']}T{match['time']}.{millis}{zone}{match['rounding'] or ''}"
