//! How the diagram is moved: wheel, pointers, keys.

use super::{Look, Send, Shared};
use crate::{
    scene::{diagram::Index, geometry::length},
    state::{Action, run::RunHandle, until::TimeAct},
};
use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::{JsCast as _, closure::Closure};
use yew::prelude::*;

/// So many CSS pixels are still a click.
const CLICK: f64 = 5.0;

/// Nearer or farther; the cursor stays where it is, if it is in sight.
pub(super) fn zoom(look: &mut Look, factor: f64) {
    let view = look.view;
    let x = look.cursor.map(|at| view.x(at));
    let x = x.filter(|x| (0.0..=view.width).contains(x));
    look.view = view.zoomed(factor, x.unwrap_or(view.width / 2.0), look.end);
}

/// From the beginning to as far as the run is known.
pub(super) fn whole(look: &mut Look) {
    let end = (look.end as f64).max(20_000.0);
    look.view.from = -end * 0.02;
    look.view.to = end * 1.05;
}

/// The room there is.
#[hook]
pub(super) fn use_size(plot: &NodeRef, look: &Shared, again: &UseForceUpdateHandle) {
    let (plot, look, again) = (plot.clone(), look.clone(), again.clone());
    use_effect_with((), move |()| {
        let element = plot.cast::<web_sys::Element>();
        let measure = {
            let element = element.clone();
            move || {
                let Some(element) = &element else { return };
                let outer = element.parent_element();
                let height = outer.map_or(0, |e| e.client_height());
                let (w, h) = (f64::from(element.client_width()), f64::from(height) - 2.0);
                let mut look = look.borrow_mut();
                if w > 0.0 && h > 0.0 && (look.view.width, look.view.height) != (w, h) {
                    (look.view.width, look.view.height) = (w, h);
                    drop(look);
                    again.force_update();
                }
            }
        };
        measure();
        let callback = Closure::<dyn FnMut()>::new(measure);
        let observer = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, &element) {
            observer.observe(element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(callback);
        }
    });
}

/// The wheel zooms; sideways, or with Shift, it pans. The page does not scroll meanwhile.
#[hook]
pub(super) fn use_wheel(plot: &NodeRef, look: &Shared, again: &UseForceUpdateHandle) {
    let (plot, look, again) = (plot.clone(), look.clone(), again.clone());
    use_effect_with((), move |()| {
        let listener = plot.cast::<web_sys::Element>().map(|element| {
            let options = EventListenerOptions::enable_prevent_default();
            let within = element.clone();
            EventListener::new_with_options(&element, "wheel", options, move |event| {
                let Some(event) = event.dyn_ref::<WheelEvent>() else {
                    return;
                };
                event.prevent_default();
                let mut look = look.borrow_mut();
                // Lines, not pixels, in some browsers.
                let unit = if event.delta_mode() == 0 { 1.0 } else { 24.0 };
                let (dx, dy) = (event.delta_x() * unit, event.delta_y() * unit);
                let end = look.end;
                look.view = if event.shift_key() || dx.abs() > dy.abs() {
                    look.view.panned(if dx == 0.0 { dy } else { dx }, end)
                } else {
                    let x = f64::from(event.client_x()) - within.get_bounding_client_rect().left();
                    let factor = (dy.clamp(-240.0, 240.0) / 400.0).exp2();
                    look.view.zoomed(factor, x, end)
                };
                drop(look);
                again.force_update();
            })
        });
        move || drop(listener)
    });
}

/// Where in the plot a pointer is.
fn place(event: &PointerEvent) -> Option<(f64, f64)> {
    let target = event.target_dyn_into::<web_sys::Element>()?;
    let room = target.get_bounding_client_rect();
    Some((
        f64::from(event.client_x()) - room.left(),
        f64::from(event.client_y()) - room.top(),
    ))
}

pub(super) fn on_down(look: &Shared) -> Callback<PointerEvent> {
    let look = look.clone();
    Callback::from(move |event: PointerEvent| {
        let Some((x, y)) = place(&event).filter(|_| event.button() == 0) else {
            return;
        };
        if let Some(target) = event.target_dyn_into::<web_sys::Element>() {
            let _ = target.set_pointer_capture(event.pointer_id());
        }
        let mut look = look.borrow_mut();
        look.pointers.retain(|p| p.0 != event.pointer_id());
        if look.pointers.is_empty() {
            look.gone = 0.0;
        }
        if look.pointers.len() < 2 {
            look.pointers.push((event.pointer_id(), x, y));
        }
    })
}

pub(super) fn on_move(look: &Shared, again: &UseForceUpdateHandle) -> Callback<PointerEvent> {
    let (look, again) = (look.clone(), again.clone());
    Callback::from(move |event: PointerEvent| {
        let Some((x, y)) = place(&event) else { return };
        let mut look = look.borrow_mut();
        let held = look.pointers.iter().position(|p| p.0 == event.pointer_id());
        let Some(held) = held else {
            let at = look.picture.line_at(x, y);
            if at != look.at {
                look.at = at;
                look.by_key = false;
                drop(look);
                again.force_update();
            }
            return;
        };
        let before = look.pointers[held];
        let (end, other) = (look.end, look.pointers.get(1 - held).copied());
        look.gone += length(x - before.1, y - before.2);
        look.pointers[held] = (before.0, x, y);
        if let Some(other) = other.filter(|_| look.pointers.len() == 2) {
            // Two fingers: what is between them stays between them.
            let (was, is) = (
                (before.1 - other.1).abs().max(8.0),
                (x - other.1).abs().max(8.0),
            );
            let middle = (x + other.1) / 2.0;
            look.view = look.view.panned((before.1 - x) / 2.0, end);
            look.view = look.view.zoomed(was / is, middle, end);
        } else if look.gone > CLICK {
            look.view = look.view.panned(before.1 - x, end);
        }
        drop(look);
        again.force_update();
    })
}

pub(super) fn on_cancel(look: &Shared, again: &UseForceUpdateHandle) -> Callback<PointerEvent> {
    let (look, again) = (look.clone(), again.clone());
    Callback::from(move |event: PointerEvent| {
        let mut look = look.borrow_mut();
        look.pointers.retain(|p| p.0 != event.pointer_id());
        if look.at.is_some() && !look.by_key {
            look.at = None;
            drop(look);
            again.force_update();
        }
    })
}

pub(super) fn on_up(
    look: &Shared,
    again: &UseForceUpdateHandle,
    run: &RunHandle,
    send: &Send,
) -> Callback<PointerEvent> {
    let (look, again, run, send) = (look.clone(), again.clone(), run.clone(), send.clone());
    Callback::from(move |event: PointerEvent| {
        let mut now = look.borrow_mut();
        let held = now.pointers.iter().any(|p| p.0 == event.pointer_id());
        now.pointers.retain(|p| p.0 != event.pointer_id());
        let clicked = held && now.pointers.is_empty() && now.gone <= CLICK;
        let Some((x, y)) = place(&event).filter(|_| clicked) else {
            return;
        };
        let at = now.view.at(x).max(0.0) as u64;
        let (line, dot) = (now.picture.line_at(x, y), now.picture.dot_at(x, y));
        now.at = None;
        drop(now);
        again.force_update();
        match (dot, line) {
            (Some(record), _) if run.get().track().told().len() > record as usize => {
                send.dispatch(Action::Tell(record as usize));
            }
            (_, Some(line)) => send.dispatch(Action::Time(TimeAct::Message(line, at))),
            _ => send.dispatch(Action::Time(TimeAct::Moment(at))),
        }
    })
}

pub(super) fn on_key(
    look: &Shared,
    again: &UseForceUpdateHandle,
    run: &RunHandle,
    heartbeats: bool,
    send: &Send,
) -> Callback<KeyboardEvent> {
    let (look, again, run, send) = (look.clone(), again.clone(), run.clone(), send.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let mut now = look.borrow_mut();
        let (view, end) = (now.view, now.end);
        let far = view.width / 6.0;
        match event.key().as_str() {
            "ArrowLeft" => now.view = view.panned(-far, end),
            "ArrowRight" => now.view = view.panned(far, end),
            "+" | "=" => zoom(&mut now, 0.625),
            "-" | "−" => zoom(&mut now, 1.6),
            "0" => whole(&mut now),
            key @ ("ArrowUp" | "ArrowDown") => {
                let run = run.get();
                let index = run.diagram();
                let cursor = run.world().now().0;
                now.at = next(&index, &now, heartbeats, cursor, key == "ArrowDown");
                now.by_key = true;
                if let Some(arrow) = now.at.and_then(|no| index.arrows().get(no as usize)) {
                    now.view = view.following(arrow.sent);
                }
            }
            "Enter" => {
                let Some(no) = now.at else {
                    let at = view.at(view.width / 2.0).max(0.0) as u64;
                    drop(now);
                    event.prevent_default();
                    send.dispatch(Action::Time(TimeAct::Moment(at)));
                    return;
                };
                let middle = {
                    let run = run.get();
                    let index = run.diagram();
                    let arrow = index.arrows().get(no as usize);
                    arrow.map_or(0, |a| (a.sent + a.end) / 2)
                };
                now.at = None;
                now.by_key = false;
                drop(now);
                event.prevent_default();
                send.dispatch(Action::Time(TimeAct::Message(no, middle)));
                return;
            }
            "Escape" if now.at.is_some() => {
                now.at = None;
                now.by_key = false;
            }
            _ => return,
        }
        drop(now);
        event.prevent_default();
        again.force_update();
    })
}

/// The message after the one that one looks at, or before it; the first is the one nearest to the cursor.
fn next(index: &Index, look: &Look, heartbeats: bool, cursor: u64, onward: bool) -> Option<u32> {
    let arrows = index.arrows();
    let fits = |no: &usize| heartbeats || !arrows[*no].heartbeat;
    let Some(here) = look.at else {
        let near = (0..arrows.len()).filter(fits);
        let nearest = near.min_by_key(|no| arrows[*no].end.abs_diff(cursor));
        return nearest.map(|no| no as u32);
    };
    let found = if onward {
        (here as usize + 1..arrows.len()).find(fits)
    } else {
        (0..here as usize).rev().find(fits)
    };
    found.map(|no| no as u32).or(Some(here))
}
