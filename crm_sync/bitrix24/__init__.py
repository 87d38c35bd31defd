"""Bitrix24. `adapter` opens it."""
