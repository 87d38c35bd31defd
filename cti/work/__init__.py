"""The durable work table's port, and the service that runs what is due."""
