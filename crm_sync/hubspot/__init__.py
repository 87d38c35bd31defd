"""HubSpot. `adapter` opens it."""
