"""BPMN 2.0 as Camunda 8 executes it: from a file's bytes to frozen element types."""

from devstack.bpmn.faults import ModelRefusedError
from devstack.bpmn.reader import read_bpmn

__all__ = ["ModelRefusedError", "read_bpmn"]
