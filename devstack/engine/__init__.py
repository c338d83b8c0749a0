"""The embedded Zeebe engine: deploys BPMN, runs instances, appends records.

    command → Engine → Processor of its partition → records, and steps planned on the agenda
    step    → Lifecycle → behaviour of the element's kind → records, further steps
    time    → Engine.run → Schedule → timers, job time-outs, back-offs

Order and wording follow Zeebe's source where it is public. Known to differ:

- Records of PROCESS_EVENT, PROCESS_INSTANCE_BATCH, PROCESS_MESSAGE_SUBSCRIPTION and of the
  distribution of commands are not written; a deployment is recorded by every partition.
- JOB_BATCH is recorded only when jobs are given out, not for each poll.
- An element's tree path stands in all of its events, not in the first alone.
- A key of a partition that does not exist is NOT_FOUND, where a real gateway says UNAVAILABLE.
- Integers past 64 bits, which FEEL can make, keep their digits.

Inferred, not observed: that a waiting caller is told nothing of a canceled instance, and which
release changed the order of mappings (see `mappings`).
"""

from devstack.engine.definitions import Definition, Form
from devstack.engine.deployments import Deployment
from devstack.engine.engine import DEFAULT_TENANT, MAX_MESSAGE_BYTES, Engine
from devstack.engine.job_activation import ActivatedJob, JobRequest
from devstack.engine.resources import Resource
from devstack.engine.state import InstanceResult, OnEnd, StartedInstance

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
    "OnEnd",
    "Resource",
    "StartedInstance",
]
