"""F4: a program that imports click, sqlite3 and httpx and makes one request. python f4.py URL"""

import sqlite3
import sys

import click
import httpx

assert click
assert sqlite3
# Certificates are not needed for plain HTTP on loopback, and loading them would make the floor comfortably high.
with httpx.Client(verify=False, trust_env=False) as client:
    client.get(sys.argv[1]).raise_for_status()
