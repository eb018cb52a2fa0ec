"""Real helpdesk servers on this machine for the tests: installs, seeds, starts and stops them. `scripts/servers --help`.

Only what concerns one vendor is in that vendor's module and its folder in `sites`; nothing here knows chit.
"""
