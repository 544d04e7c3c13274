"""Records of hours: an overview of the whole, pages of what somebody wants to see.

The samples of such a record stay in the object store (`storage.ecg.windows`);
no process holds more of them than what it draws or looks through.
"""
