"""`/api/v1`: what the public pages show, as JSON, for programs of others."""
