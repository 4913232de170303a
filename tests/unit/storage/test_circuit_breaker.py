from app.storage.circuit_breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_everybody_passes_until_the_first_failure() -> None:
    breaker = CircuitBreaker(1.0, Clock())

    assert [breaker.allows(), breaker.allows()] == [True, True]
    breaker.failed()
    assert not breaker.allows()


def test_one_caller_a_pause_tries_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1.0, clock)
    breaker.failed()

    clock.now += 1.0

    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_success_lets_everybody_pass() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1.0, clock)
    breaker.failed()
    clock.now += 1.0
    assert breaker.allows()

    breaker.succeeded()

    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_a_probe_that_never_tells_does_not_hold_the_others_up_for_good() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1.0, clock)
    breaker.failed()
    clock.now += 1.0
    assert breaker.allows()

    clock.now += 1.0

    assert breaker.allows()
