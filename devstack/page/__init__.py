"""A page for people: deployed processes as diagrams, with tokens, incidents and open work on them.

    records → work ┐
    store ─────────┴→ views → routes → static/page.js

It needs no log-in, as nothing of devstack's own does, and no build step: the browser loads the
files as they lie here. The diagrams are drawn by bpmn-js, whose licence asks that its watermark
stays visible (static/vendor/bpmn-js/LICENSE).
"""

from devstack.page.routes import Page
from devstack.page.work import OpenWork

__all__ = ["OpenWork", "Page"]
