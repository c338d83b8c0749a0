"""A Zeebe job worker: jobs in, outcomes out, over gRPC. It knows no connector.

    gateway ── Poller ────┐                                 ┌─ Complete
            ── Streamer ──┴─→ Job ─→ Executor ─→ handler ─→ ┼─ Fail        ─→ Delivery ─→ gateway
                                                            └─ ThrowError

`loop.Worker` puts these together and owns their life; `Slots` bounds the jobs between the first
arrow and the last. The protocol itself is in `gateway`, `requests` and `errors` alone.
"""

from worker import stubs

stubs.load()
