"""What everybody does, kept in the memory of each process. Fed by the log of events (`crowd`), it tells what was
liked together (`covisits`), what is popular, rising or new (`tables`), and who does alike (`neighbours`).
"""
