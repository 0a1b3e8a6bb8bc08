//! Axes by what a constraint calls them.

use crate::{Axis, Space};

/// Why a name stands for no axis: the message and the hint.
pub(super) type Refusal = (String, Option<String>);

/// Returns the axis of a name: the one that has it, or the only one that ends in it behind a dot.
pub(super) fn find(space: &Space, name: &str) -> Result<usize, Refusal> {
    let wanted = plain(name);
    let names: Vec<String> = space.axes().iter().map(|axis| plain(axis.name())).collect();
    if let Some(axis) = names.iter().position(|known| *known == wanted) {
        return Ok(axis);
    }
    let ending: Vec<usize> = (0..names.len()).filter(|axis| ends_in(&names[*axis], &wanted)).collect();
    match ending.as_slice() {
        [axis] => Ok(*axis),
        [] => Err((format!("axis `{name}` is not known"), Some(hint(space, &wanted)))),
        several => {
            let list: Vec<String> = several.iter().map(|axis| format!("`{}`", space.axes()[*axis].name())).collect();
            let message = format!("`{name}` must be the end of one axis, is that of {}", list.join(" and "));
            Err((message, Some("write the whole name".to_owned())))
        }
    }
}

/// Returns which of the valid names is a typing error away from what was found.
pub(super) fn nearest<'a>(found: &str, valid: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    valid
        .map(|name| (distance(found, name), name))
        .filter(|(distance, name)| *distance <= tolerance(name))
        .min()
        .map(|(_, name)| name)
}

fn hint(space: &Space, wanted: &str) -> String {
    let whole = nearest(wanted, space.axes().iter().map(Axis::name));
    let by_end = || {
        let end = |name: &'_ str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let wanted = end(wanted);
        space.axes().iter().map(Axis::name).find(|name| distance(&wanted, &end(name)) <= tolerance(&end(name)))
    };
    if let Some(name) = whole.or_else(by_end) {
        return format!("did you mean `{name}`?");
    }
    let list: Vec<String> = space.axes().iter().map(|axis| format!("`{}`", axis.name())).collect();
    format!("axes are {}", list.join(", "))
}

fn distance(found: &str, name: &str) -> usize {
    strsim::damerau_levenshtein(&found.to_lowercase(), &name.to_lowercase())
}

fn tolerance(name: &str) -> usize {
    2.min(name.chars().count() / 3)
}

fn ends_in(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|head| head.ends_with('.'))
}

/// A key without the quotes around its parts.
fn plain(name: &str) -> String {
    name.replace('"', "")
}
