"""The element template, the example processes, and the demo that runs them (`bpmn.demo`)."""
