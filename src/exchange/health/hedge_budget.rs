//! How many hedges all calls together may make: a share of the calls, as the route's policy says.

/// A call's deposit.
const CALL: u32 = 100;
/// The most that is saved up: 200 calls' worth, which is ten hedges at 5 %. A day without hedges must not pay for a flood of them.
const FULL: u32 = 200 * CALL;

/// Deposits by calls alone, never by time: what it bounds is the extra spend. Before any call has begun there is one hedge to give.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HedgeBudget {
    level: u32,
    first_taken: bool,
}

impl HedgeBudget {
    /// A call begins.
    pub(super) fn deposit(&mut self) {
        self.level = (self.level + CALL).min(FULL);
    }

    /// Pays for a hedge of a route that may hedge this share of its calls, in percent; false if there is not enough. None at a share of 0.
    pub(super) fn take(&mut self, share: u32) -> bool {
        if share == 0 {
            return false;
        }
        match self.level.checked_sub((100 * CALL).div_ceil(share.min(100))) {
            Some(rest) => self.level = rest,
            None if self.first_taken => return false,
            None => self.first_taken = true,
        }
        true
    }
}
