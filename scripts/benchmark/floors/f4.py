"""F4: a program that imports click, sqlite3 and httpx and makes one request. python f4.py URL

The benchmark asks for a path that the server does not know: it says so from memory, without opening its store.
"""

import sqlite3
import sys

import click
import httpx

assert click
assert sqlite3
# Certificates are not needed for plain HTTP on loopback, and loading them would make the floor comfortably high.
with httpx.Client(verify=False, trust_env=False) as client:
    assert client.get(sys.argv[1]).content
