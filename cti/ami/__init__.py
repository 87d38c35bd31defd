"""Asterisk's manager interface: messages in, signals and call states out; orders to the exchange."""
