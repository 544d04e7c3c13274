"""The dated switch under which one doctor alone may issue the report of an ECG."""
