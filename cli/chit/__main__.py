"""`python -m chit`."""

from chit.main import main

main()
