"""The nightly cycle: schedule, compare, confirm, flag, alert."""
