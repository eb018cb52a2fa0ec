"""chit's library: a store of helpdesk tickets, and its exchange with other stores. docs/library.md shows its use.

From the bottom up, each layer using those below it only:

    errors · registers · clock · ids · schema · change · ticket · times     pure: no I/O, time and random bytes are arguments
    codec · wire · policy · query.parse, .compile                           pure, with msgspec where changes are read
    store                                                                   SQLite and the files beside it
    authoring · query.listing · transfer                                    writing, finding, files
    remotes · exchange                                                      other stores
    server                                                                  a store behind HTTP (extra `serve`)
"""
