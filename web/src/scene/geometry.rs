//! Points and boxes, in units of the viewBox: CSS pixels unless the stage is very small or very large.

/// A point.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Pt {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl Pt {
    /// The point (`x`, `y`).
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Pt {
        Pt { x, y }
    }

    /// The point `part` of the way from here to `to`.
    #[must_use]
    pub fn towards(self, to: Pt, part: f64) -> Pt {
        Pt::new(
            self.x + (to.x - self.x) * part,
            self.y + (to.y - self.y) * part,
        )
    }

    /// How far it is to `to`.
    #[must_use]
    pub fn distance(self, to: Pt) -> f64 {
        length(to.x - self.x, to.y - self.y)
    }

    /// Moved by (`dx`, `dy`).
    #[must_use]
    pub const fn moved(self, dx: f64, dy: f64) -> Pt {
        Pt::new(self.x + dx, self.y + dy)
    }
}

/// How long the arrow (`dx`, `dy`) is.
#[must_use]
pub fn length(dx: f64, dy: f64) -> f64 {
    (dx * dx + dy * dy).sqrt()
}

/// The sine of an angle in radians, to a hundred-thousandth and for a few turns: enough for pixels. The one of
/// the standard library is exact for all numbers there are, and kilobytes of the page.
#[must_use]
pub fn sine(angle: f64) -> f64 {
    use core::f64::consts::PI;
    // Into half a turn, where the sine rises.
    let turns = (angle / (2.0 * PI)).round();
    let x = angle - turns * 2.0 * PI;
    let x = if x > PI / 2.0 {
        PI - x
    } else if x < -PI / 2.0 {
        -PI - x
    } else {
        x
    };
    let q = x * x;
    x * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))))
}

/// The cosine, as [`sine`].
#[must_use]
pub fn cosine(angle: f64) -> f64 {
    sine(angle + core::f64::consts::PI / 2.0)
}

/// A box with its sides parallel to the axes.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The box with this upper left corner and size.
    #[must_use]
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Rect {
        Rect { x, y, w, h }
    }

    /// The box round `c` that reaches `half_w` and `half_h` to each side.
    #[must_use]
    pub const fn round(c: Pt, half_w: f64, half_h: f64) -> Rect {
        Rect::new(c.x - half_w, c.y - half_h, 2.0 * half_w, 2.0 * half_h)
    }

    /// Right edge.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// Lower edge.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }

    /// Its middle.
    #[must_use]
    pub fn centre(&self) -> Pt {
        Pt::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// The area that both cover.
    #[must_use]
    pub fn shared(&self, other: &Rect) -> f64 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Whether both have more than an edge in common.
    #[must_use]
    pub fn overlaps(&self, other: &Rect) -> bool {
        const TOUCH: f64 = 0.01;
        self.x + TOUCH < other.right()
            && other.x + TOUCH < self.right()
            && self.y + TOUCH < other.bottom()
            && other.y + TOUCH < self.bottom()
    }

    /// Whether `other` lies inside it.
    #[must_use]
    pub fn holds(&self, other: &Rect) -> bool {
        const TOUCH: f64 = 0.01;
        other.x + TOUCH >= self.x
            && other.y + TOUCH >= self.y
            && other.right() <= self.right() + TOUCH
            && other.bottom() <= self.bottom() + TOUCH
    }

    /// The box that is `by` smaller on each side.
    #[must_use]
    pub fn inset(&self, by: f64) -> Rect {
        Rect::new(
            self.x + by,
            self.y + by,
            self.w - 2.0 * by,
            self.h - 2.0 * by,
        )
    }
}

/// About how wide a text is: good enough to keep texts apart, without asking a browser.
#[must_use]
pub fn text_width(text: &str, size: f64, mono: bool) -> f64 {
    text.chars()
        .map(|c| {
            if c as u32 >= 0x2e80 {
                1.0
            } else if mono {
                0.602
            } else if "iljtf.,:;'|! ".contains(c) {
                0.32
            } else if c == 'm' || c == 'w' || c == 'W' || c == 'M' {
                0.86
            } else if c.is_uppercase() {
                0.69
            } else {
                0.57
            }
        })
        .sum::<f64>()
        * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_right_to_less_than_a_pixel() {
        for degrees in -720..=720 {
            let angle = f64::from(degrees).to_radians();
            assert!((sine(angle) - angle.sin()).abs() < 1e-5, "{degrees}");
            assert!((cosine(angle) - angle.cos()).abs() < 1e-5, "{degrees}");
        }
    }
}
