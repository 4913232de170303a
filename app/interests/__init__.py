"""Histories and words to interest vectors: what is asked (`intent`, `profiles`), the encoders behind it (`encoder`,
`texts`), where vectors wait (`cache`, `redis_cache`), and vectors read as phrases (`phrases`).
"""
