"""`penchant doctor`: what a service needs, looked at one by one, each finding with what to do about it."""
