"""Measurements that a viewer stored in the study as structured reports (PS3.16 TID 1500)."""
