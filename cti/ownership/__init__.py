"""Who owns which contact: assignment, the public pool, protection, and every move of it."""
