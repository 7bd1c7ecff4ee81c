//! Two branches on two stages, at the same moment of virtual time: the cursor's.

use super::stage::{Stage, StageHandle};
use crate::{
    scene::{Scene, place::Frame, read, scene},
    state::{
        Selection,
        compare::{Beside, beside},
        run::RunHandle,
    },
    text::Lang,
};
use std::rc::Rc;
use yew::prelude::*;
use zabscope_core::{
    sim::{BranchNo, Record},
    time::Moment,
};

/// What the pictures need.
#[derive(Properties, PartialEq)]
pub struct BothProps {
    /// The run.
    pub run: RunHandle,
    /// Which branches.
    pub pair: (BranchNo, BranchNo),
    /// What is chosen is lit on both.
    pub selection: Selection,
    /// Time passes: the pictures wait until it stands.
    pub moves: bool,
    /// The language.
    pub lang: Lang,
}

/// A side.
struct Side {
    scene: Rc<Scene>,
    /// When its world was so; earlier than asked for if the branch has ended by then.
    at: Moment,
}

fn side(props: &BothProps, branch: BranchNo) -> Option<Side> {
    let run = props.run.get();
    let now = run.world().now();
    let Beside { world, records } = beside(&run, branch, now, read::RECORDS)?;
    let told = records.last().map(Record::id);
    let sight = read::sight(&world, &records, told, &props.selection);
    let frame = Frame::fit(960.0, 480.0);
    Some(Side {
        scene: Rc::new(scene(&sight, &props.selection, props.lang, frame)),
        at: world.now(),
    })
}

/// The pictures, as two cells of a row.
#[component]
pub fn Both(props: &BothProps) -> Html {
    type Kept = Option<(RunHandle, (BranchNo, BranchNo), Selection, Lang)>;
    let kept = use_mut_ref(|| (Kept::None, [None, None]));
    // Made once: what is equal is not drawn again.
    let own = use_memo((), |()| {
        let handles = [StageHandle::default(), StageHandle::default()];
        (handles, Callback::noop())
    });
    let (one, two) = props.pair;
    let asked = (
        props.run.clone(),
        props.pair,
        props.selection.clone(),
        props.lang,
    );
    let mut kept = kept.borrow_mut();
    if kept.0.as_ref() != Some(&asked) && !(props.moves && kept.0.is_some()) {
        *kept = (Some(asked), [side(props, one), side(props, two)]);
    }
    let sides = kept.1.iter().zip(own.0.iter());
    html! { { for sides.map(|(side, handle)| match side {
        None => html! { <td></td> },
        // A picture: what is in it is told by the rows below, and can be used where its branch is shown.
        Some(side) => html! {
            <td>
                <div class="thumb" aria-hidden="true" inert={true}>
                    <Stage scene={Rc::clone(&side.scene)} lang={props.lang} still={true} handle={handle.clone()} pick={own.1.clone()} />
                </div>
                <span class="mono soft small">{ super::bits::seconds(side.at) }</span>
            </td>
        },
    }) } }
}
