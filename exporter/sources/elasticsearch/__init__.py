"""Records from the indices that Camunda's exporters for Elasticsearch and OpenSearch write.

    elasticsearch+https://host:9200?prefix=zeebe-record       or opensearch+…: both speak the same

A search sees a document only some time after it was written, and not in the order of writing: each
index has a refresh of its own, and a bulk that partly failed is repeated. Reading on from the
largest position seen would skip what becomes visible late (camunda/camunda issue 12051). So:

    newest ─→ horizon ─→ page ─→ sequence watch ─→ chunk
                                      overlap  ─→ chunk of what was late even so

- address (`address.py`): what the URL says;
- query (`query.py`), client (`client.py`): the searches, and what comes back;
- horizon (`horizon.py`): a position is read once one at least as far has been visible for `lag-ms`;
- sequence watch (`sequence.py`): Camunda's exporter numbers what it writes, by value type and
  partition; a number that is missing is waited for, `gap-ms` at most;
- overlap (`overlap.py`): what was read in the last `overlap-ms` is counted again; a document that
  turned up among it is handed on late, which the lane sets aside, since its place is gone;
- tail (`tail.py`): one partition, read so; source (`source.py`): the port.

What becomes visible later than all three is not noticed: the default is more than a minute.
"""

from exporter.sources.elasticsearch.source import ElasticsearchSource, open_source, probe

__all__ = ["ElasticsearchSource", "open_source", "probe"]
