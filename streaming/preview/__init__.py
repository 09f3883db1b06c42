"""The preview of a block type in the admin, and the trial of its model.

Both ask a model like a start: they count for the same limits of the same user. Neither has a row,
a log or a history.
"""
