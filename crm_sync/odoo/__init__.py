"""Odoo 14 to 19. `adapter` opens it."""
