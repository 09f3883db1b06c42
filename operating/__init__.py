"""What operators of this site see: the admin's look, its dashboard, prices, and what a user spent.

It belongs to the site, not to the blocks: a project that only installs `blocks` and `streaming`
keeps its own admin. Decision: 043-the-admins-look.md.
"""
