"""A replay as a table for people."""

from app.offline.off_policy import OffPolicyEstimate, Replayed

LOW_WEIGHT = 0.5


def to_markdown(replayed: Replayed) -> str:
    """The three estimates, and how far they can be trusted."""
    rows = (("logged", replayed.logged), ("IPS", replayed.ips), ("SNIPS", replayed.snips))
    table = ["| Outcomes a place | Estimate | 95% interval |", "|---|--:|--:|"]
    table += [f"| {name} | {one.value:.4f} | {_interval(one)} |" for name, one in rows]
    told = (
        f"{replayed.n_slates:,} slates, {replayed.n_places:,} places shown, {replayed.n_matched:,} of them with the "
        f"same item. Mean weight {replayed.mean_weight:.2f}, worth {replayed.effective:,.0f} places of equal weight, "
        f"the largest {replayed.largest_weight:.1f}."
    )
    warning = "\n\nThe log holds too little of what this policy shows: serve with some exploration first."
    return "\n".join(table) + "\n\n" + told + (warning if replayed.mean_weight < LOW_WEIGHT else "")


def _interval(one: OffPolicyEstimate) -> str:
    return f"{one.low:.4f} to {one.high:.4f}"
