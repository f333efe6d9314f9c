"""What the measuring scripts share: servers, a client, the load generator, tables, charts.

Python's standard library only. Nothing here knows a particular server: a server is a name and an executable that takes
Redis's options, so every script can also compare two peers with each other.
"""
