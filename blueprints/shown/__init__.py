"""What pages show: plain objects made from the domain's rows, in the shape that templates ask for.

Nothing here reads a request or asks the database; views hand in what they have fetched.
"""
