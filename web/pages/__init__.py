"""The page families: each module has a `router` with its addresses."""
