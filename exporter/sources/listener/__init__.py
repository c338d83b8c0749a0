"""Events from user task listeners: jobs over REST, from Camunda 8.8 on.

    listener+https://host:8080?type=JOB_TYPE

    gateway ── job ─→ collector ── record ─→ job inbox (durable) ─→ read … lane
                          └── completed at once ─→ gateway

- address (`address.py`): what the URL says;
- gateway (`gateway.py`): takes jobs by long polls, completes and fails them;
- job (`job.py`): a job, and the record that is made of it;
- job inbox (`job_inbox.py`): records that wait for their lane, and jobs that are not known to be
  completed; both in one file, so that a job that comes again makes no second event;
- collector (`collector.py`): the loop; source (`source.py`): the port.

The engine holds a user task's change until its listener's job is completed. So a job is completed
as soon as its record is on disk, whatever the backend does. Only when the disk is full, or the
inbox has reached its limit, does a user task wait for us.
"""

from exporter.sources.listener.source import ListenerSource, open_source, probe

__all__ = ["ListenerSource", "open_source", "probe"]
