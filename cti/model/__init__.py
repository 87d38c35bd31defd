"""The words of the business: values and enums. Imports nothing but `cti.errors`."""
