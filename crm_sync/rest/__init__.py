"""Any CRM with a REST API, by the tables of its mapping file. `adapter` opens it."""
