"""Three page watchers that people use instead, over the same simulated nights as VisaWatch.

`python -m benchmarks.peers` prints one table; docs/peers.md says how it is measured.
`commandline` drives urlwatch and webchanges, `changedetection` the server of that name, `ours`
VisaWatch; `settings.toml` says how each is set, `reports` reads what each tells its user, and
`scoring` compares that with what truly changed.
"""
