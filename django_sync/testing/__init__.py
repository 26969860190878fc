"""What users of django_sync test their own programs with. Nothing of the package imports it."""
