"""The Django project that carries django-helpdesk in the tests."""
