"""A simulated web of residency programs: many hosts, many nights, every true change known.

Everything follows from a seed. `world.build` plans what each page says in each night and what
goes wrong; `pages` writes it as HTML, in the styles of styles/; `server` serves it over HTTP from
a process of its own; `truth` says what a monitor without fault would flag and show.
"""
