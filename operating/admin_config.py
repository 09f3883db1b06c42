"""The admin with this site's dashboard; takes the place of `django.contrib.admin` in the settings.

A module of its own: Django looks for the one app of `operating` in apps.py.
"""

from django.contrib.admin.apps import AdminConfig


class SiteAdmin(AdminConfig):
    default_site = "operating.site.OperatingSite"
