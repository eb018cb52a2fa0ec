"""The benchmark: what chit does, each figure beside the least that a small program of its own needs for the same (its floor).

`__main__` picks the lines and prints the report; `lines/` has the lines, a file a subject; `floors/` the small programs; `measuring`
runs both in turn; `environment` makes the clean virtual environment; `synthetic` the tickets and `stores` the stores. Not part of the
package, and imports nothing of it but to build stores.
"""
