"""What run.py is made of: programs, cases, and the report."""
