//! Long tail: a plan that is carried out in two halves, with something to be done between them.

use crate::apply::carry_out;
use crate::{Error, MountOp};

/// As [`apply`](crate::apply()), with something to be done while everything is mounted and the host's root still there: chapter
/// 05 runs others' programs then.
pub fn apply_with<E: From<Error>>(
    steps: &[MountOp],
    before_pivot: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    let pivot = steps.iter().position(|step| *step == MountOp::PivotRoot).unwrap_or(steps.len());
    let mut root = None;
    carry_out(&steps[..pivot], &mut root)?;
    before_pivot()?;
    Ok(carry_out(&steps[pivot..], &mut root)?)
}
