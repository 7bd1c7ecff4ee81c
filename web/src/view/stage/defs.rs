//! Patterns and colours of epochs, and numbers for attributes.

use yew::prelude::*;
use zabscope_core::id::Epoch;

fn of(epoch: Epoch) -> i64 {
    epoch.0.rem_euclid(6)
}

/// The strong tone of an epoch: for lines and letters.
#[must_use]
pub fn hue(epoch: Epoch) -> String {
    if epoch.0 < 0 {
        return "var(--line-2)".to_owned();
    }
    format!("var(--e{})", of(epoch))
}

/// The soft tone: behind letters.
#[must_use]
pub fn soft(epoch: Epoch) -> String {
    if epoch.0 < 0 {
        return "var(--sunken)".to_owned();
    }
    format!("var(--e{}-soft)", of(epoch))
}

/// The soft tone with the epoch's pattern: for areas.
#[must_use]
pub fn fill(epoch: Epoch) -> String {
    if epoch.0 < 0 {
        return "var(--sunken)".to_owned();
    }
    format!("url(#p{})", of(epoch))
}

/// A number for an attribute: a tenth of a pixel is enough.
#[must_use]
pub fn n(x: f64) -> String {
    let tenths = (x * 10.0).round() as i64;
    if tenths % 10 == 0 {
        return (tenths / 10).to_string();
    }
    fine(tenths as f64 / 10.0)
}

/// A number to a hundredth, such as a factor. Through whole numbers: what prints every fraction exactly is
/// kilobytes of code.
#[must_use]
pub fn fine(x: f64) -> String {
    let hundredths = (x * 100.0).round() as i64;
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
    if rest % 10 == 0 {
        format!("{sign}{whole}.{}", rest / 10)
    } else {
        format!("{sign}{whole}.{rest:02}")
    }
}

/// The patterns `p0` to `p5`. Once in a page is enough: other views may use them too.
#[component]
pub fn Patterns() -> Html {
    let ground = |e: i64, w: &'static str| {
        html! { <rect width={w} height={w} fill={format!("var(--e{e}-soft)")} /> }
    };
    let ink = |e: i64| format!("var(--e{e})");
    html! {
        <defs>
            <pattern id="p1" width="6" height="6" patternUnits="userSpaceOnUse">{ ground(1, "6") }</pattern>
            <pattern id="p2" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                { ground(2, "6") }<rect width="1.4" height="6" fill={ink(2)} opacity=".35" />
            </pattern>
            <pattern id="p3" width="6" height="6" patternUnits="userSpaceOnUse">
                { ground(3, "6") }<circle cx="2" cy="2" r="1" fill={ink(3)} opacity=".45" />
            </pattern>
            <pattern id="p4" width="5" height="5" patternUnits="userSpaceOnUse">
                { ground(4, "5") }<rect width="1.2" height="5" fill={ink(4)} opacity=".35" />
            </pattern>
            <pattern id="p5" width="7" height="7" patternUnits="userSpaceOnUse">
                { ground(5, "7") }<path d="M0 3.5H7M3.5 0V7" stroke={ink(5)} stroke-width="1" opacity=".32" />
            </pattern>
            <pattern id="p0" width="10" height="6" patternUnits="userSpaceOnUse">
                { ground(0, "10") }<path d="M0 3Q2.5 0 5 3T10 3" fill="none" stroke={ink(0)} stroke-width="1" opacity=".38" />
            </pattern>
        </defs>
    }
}
