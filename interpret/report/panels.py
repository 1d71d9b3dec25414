"""The panels of a report: a map with its scale and its areas, and a picture before and after a change."""

from html import escape

from ..figures.colours import DIVERGING, HEAT
from ..figures.grid_maps import title_of
from .findings import Explained, Finding, Map
from .network import Check
from .pictures import Drawn, data_uri
from .smallest_change import Change


def percent(share: float) -> str:
    """A probability as people read it; what is nearly 0 or 1 is not shown as such."""
    if 0.0005 <= share <= 0.9995:
        return f"{share:.1%}"
    return "< 0.1%" if share < 0.5 else "> 99.9%"


def image(content: bytes, words: str, kind: str = "") -> str:
    """A WebP picture inside the page, with the words for those who do not see it."""
    named = f' class="{kind}"' if kind else ""
    return f'<img{named} src="{data_uri(content)}" alt="{escape(words)}" decoding="async">'


def map_panel(found: Map, part: Explained, finding: Finding, check: Check | None) -> str:
    """One method's map in its views, with what is to be said about it."""
    title = title_of(found.method)
    wide, tall = finding.shape
    notes = [f'<span class="warn">{escape(found.trouble)}</span>'] if found.trouble else []
    if found.drawn is None:
        body = f'<div class="none" style="aspect-ratio:{wide}/{tall}">{escape(found.trouble)}</div>'
        return f"<figure><h4>{escape(title)}</h4>{body}</figure>"
    about = f"{title} for {part.seen.name} on {finding.name}"
    pictures = image(found.drawn.over, f"{about}, overlay", "over") + image(
        found.drawn.alone, f"{about}, heatmap", "alone"
    )
    if found.areas is not None:
        notes.append(f"deletion {found.areas.deletion:.3f}, insertion {found.areas.insertion:.3f}")
        if not any(part.beats(found)):
            notes.append('<span class="warn">no better than the floors here</span>')
    if check is not None and check.passed is False:
        notes.append('<span class="warn">fails the <a href="#network">sanity check</a> on this network</span>')
    return (
        f'<figure><h4><a href="#method-{found.method}">{escape(title)}</a></h4>'
        f'<div class="frame" style="aspect-ratio:{wide}/{tall}">{pictures}</div>{_scales(found.drawn)}'
        f"<figcaption>{'; '.join(notes)}.</figcaption></figure>"
    )


def _scales(drawn: Drawn) -> str:
    if drawn.colours == "own":
        around = f"colours around grey, at most ±{drawn.limit:.2g}"
        return f'{_scale(HEAT, "0", "largest", "over")}<div class="scale alone">{around}</div>'
    if drawn.colours == "signed":
        return _scale(DIVERGING, f"−{drawn.limit:.2g}", f"{drawn.limit:.2g}", "over", "alone")
    return _scale(HEAT, "0", f"{drawn.limit:.2g}", "over", "alone")


def _scale(colours: str, low: str, high: str, *views: str) -> str:
    ramp = ", ".join(f"#{colour}" for colour in colours.split())
    bar = f'<span>{low}</span><i style="background:linear-gradient(to right, {ramp})"></i><span>{high}</span>'
    return "".join(f'<div class="scale {view}" aria-hidden="true">{bar}</div>' for view in views)


def change_panel(change: Change, name: str) -> str:
    """How small a change makes the network see something else, and what it sees then."""
    heading = "<h3>How small a change alters the answer</h3>"
    if change.trouble:
        return f"{heading}<p>{escape(change.trouble[:1].upper() + change.trouble[1:])}.</p>"
    before, after = (f"{escape(seen)} {percent(share)}" for seen, share in (change.before, change.after))
    wide, tall = change.size
    left = percent(change.left)
    where = "the picture's own" if change.own else "the network's input of"
    sentence = (
        f"No colour value of a pixel is changed by more than <b>{change.levels:.3g} of 255 levels</b>, and the network "
        f"sees <b>{escape(change.after[0])}</b> instead of {escape(change.before[0])}. {change.share:.0%} of "
        f"{where} {wide} × {tall} pixels are changed. Found by {escape(change.words)}; a smaller change may exist."
    )
    panels = [
        (change.picture, f"{name} before the change", f"before: <b>{before}</b>"),
        (change.drawn, f"The change of {name}, around grey", f"the change, drawn {change.times:.3g} times as large"),
        (change.changed, f"{name} after the change", f"after: <b>{after}</b> ({escape(change.before[0])} {left})"),
    ]
    figures = "".join(
        f"<figure>{image(picture, words)}<figcaption>{caption}</figcaption></figure>"
        for picture, words, caption in panels
    )
    return f'{heading}<p>{sentence}</p><div class="pair">{figures}</div>'
