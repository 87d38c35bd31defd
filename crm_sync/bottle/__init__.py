"""BottleCRM. `adapter` opens it."""
