"""What the HTTP calls share: reading requests, coded errors, responses that are handed over."""
