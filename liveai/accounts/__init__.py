"""Accounts: sign-up, sign-in and account pages, by django-allauth."""
