"""The embedded Zeebe engine: deploys BPMN, runs instances, appends records.

command → Engine → Processor of its partition → records, and steps planned on the agenda
step    → Lifecycle → behaviour of the element's kind → records, further steps
time    → Engine.run → Schedule → timers, job time-outs, back-offs
"""

from devstack.engine.definitions import Definition, Form
from devstack.engine.deployments import Deployment
from devstack.engine.engine import DEFAULT_TENANT, MAX_MESSAGE_BYTES, Engine
from devstack.engine.job_activation import ActivatedJob, JobRequest
from devstack.engine.resources import Resource
from devstack.engine.state import InstanceResult

__all__ = [
    "DEFAULT_TENANT",
    "MAX_MESSAGE_BYTES",
    "ActivatedJob",
    "Definition",
    "Deployment",
    "Engine",
    "Form",
    "InstanceResult",
    "JobRequest",
    "Resource",
]
