"""API tokens: the model behind django-rest-knox, the account page and the admin's list."""
