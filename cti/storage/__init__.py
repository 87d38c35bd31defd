"""SQLAlchemy tables and the implementations of the ports. Open it with `cti.storage.database.open_database`."""
