"""An applicant's season: its calendar, the target list for a profile, the rules of the land.

Values in, values out, from the policies that stand in the store. Nothing about an applicant is
kept: a profile is a file, a form or an address, and lives no longer than the question.
"""
