"""The App Integrations exporter: Zeebe's records in, events at a backend, none lost.

    record → event → batch → delivery → position          one lane a partition, strictly in order

Each word is a module with a frozen type in it, and only `lane.py` knows their order:

- record (`record.py`): one entry of a partition's log, its value still unread;
- event (`event.py`): what the backend is told of it, already JSON;
- batch (`batch.py`): events that go in one request, closed by count, size or age;
- delivery (`delivery.py`): the request and what became of it: `Delivered | Rejected | Unavailable`;
- position (`position.py`): how far a partition is done, durable.

Records come from a source (`sources/`, its contract in `sources/__init__.py`). A batch that is
itself the problem, and a record that cannot be read, go to the dead letters (`deadletter.py`): they
lie in the same file as the positions and change in the same transaction. `pipeline.py` runs a lane
for each partition; lanes share only the backend and its circuit breaker (`breaker.py`).

record and event are pure; everything that waits is given its clock.
"""
