"""Signed tokens (JWT): the users of other sites, whose backends vouch for them."""
