"""Page bytes in, policy out. Pure: no network, no clock, no database."""
