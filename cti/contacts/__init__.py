"""Contacts and lists: brought in, found, changed by the thousand; dictionaries. Dials nobody."""
