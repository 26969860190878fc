"""The task that `tests.benchmarks.wakes` compares a wake-up to."""

from celery import shared_task

NOTHING = "tests.benchmarks.nothing"


@shared_task(name=NOTHING, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def nothing(number: int) -> None:
    """Do nothing."""
