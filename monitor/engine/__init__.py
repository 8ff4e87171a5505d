"""A cycle whose pages are fetched by workers on other machines, through a Redis server.

The writer (`visawatch crawl --engine`) owns the database. It lays out the hosts of its plan as
units of work in a Redis stream; workers (`visawatch worker --engine`) take units, fetch and read
their pages, and send them back through another stream. See docs/operations.md.

Everything in Redis can be lost but for the pace of hosts: a writer that begins anew lays out
what its database does not have yet. So the database alone decides what was seen.

Nothing here is imported without `--engine`, and Redis's client by `link` alone.
"""
