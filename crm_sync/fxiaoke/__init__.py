"""纷享销客. `adapter` opens it."""
