"""A stand-in of Elasticsearch with what Camunda's own exporter writes into it.

    records → exporter → documents → search ─→ server

- exporter (`exporter.py`): the index, id, routing and sequence that Camunda's exporter gives;
- documents (`documents.py`): indices, aliases and shards, and when a document becomes visible;
- query (`query.py`), search (`search.py`): the part of the query language that readers of records
  need; what is not understood is refused with 400, as the real one does;
- server (`server.py`): the HTTP API.

Sources: Camunda's Elasticsearch exporter for what is written; Elasticsearch's own reference for
what a search gives. Which shard a routing value leads to is made up; that it leads to one is not.
"""

from devstack.elasticsearch.documents import Document, Documents
from devstack.elasticsearch.exporter import RecordExporter
from devstack.elasticsearch.server import Credentials, Elasticsearch

__all__ = ["Credentials", "Document", "Documents", "Elasticsearch", "RecordExporter"]
