"""`python -m bpmn.demo [--stay]`: the example processes at work, from nothing to their ends.

    ports → services → cluster → stories → events → report

- ports (`ports.py`): where everything listens: the documented ports, or free ones;
- services (`service.py`, `services.py`): devstack, the connector and the exporter, each a process
  of its own;
- cluster (`zeebe.py`, `camunda.py`): what the demo itself says to the cluster, over gRPC and HTTP;
- stories (`stories.py`): what happens to the orders and to each example process;
- events (`events.py`): what the exporter has told the backend of the user tasks in them;
- report (`report.py`): what each task asked and was answered, and how each instance ended.

The demo is a user: it imports nothing of the services and talks to them by their protocols alone.
What a task asks is heard on the line (`tap.py`): the diagrams take Operate's address from a
variable, so the demo gives its own, notes each exchange and passes it on.
"""
