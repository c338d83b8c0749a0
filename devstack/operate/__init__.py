"""What Operate knows of a cluster, and the API v1 over it.

    record → projection → tables → query → entities

`fields` says what the API's entities look like, `tables` keeps them in an in-memory SQLite
database, `projection` writes it from Zeebe's records, `query` reads a request's body and `search`
asks the database; `store` is the one thing that the HTTP side sees.
"""
