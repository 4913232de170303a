"""A user as a whole, over all stores: which tables hold something of one (`tables`), to take it along when two users
turn out to be one (`merge`), to hand it out (`export`) and to erase it everywhere (`erasure`).
"""
