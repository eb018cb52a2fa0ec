"""Files in and out: the exact export of a store, and foreign CSV or JSON Lines through a map.

    export, import_log   a store's log and attachments as JSON Lines; importing it gives the same changes, byte for byte
    import_file          any CSV or JSON Lines by a map: rows become changes that follow from the file alone

Works on an open store; knows neither remotes nor the terminal.
"""
