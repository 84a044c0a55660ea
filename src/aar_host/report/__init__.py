"""What people see of a campaign: `page` (report.html), `tables` (terminal), `live` (while it runs).

All of it is computed from `results.Results`, which is plain JSON; nothing here reads a label.
"""
