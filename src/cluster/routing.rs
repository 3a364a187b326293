//! Which node owns what: look-ups, and what they found.

use std::collections::HashMap;

use crate::cluster::endpoint::Address;

/// Which node a call must go to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// Every node answers.
    Any,
    /// Where appends to a shard should go; others take them as well.
    Shard(u64),
    /// The node that owns a subscription. Another one would start a second copy of it.
    Subscription(String),
    /// The node that owns a shard reader. On another one it would begin where it was created.
    Reader(String),
}

/// What a look-up found. The generation tells it from a later one for the same resource, so that many
/// callers that meet the same stale entry cause one look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) node: Address,
    generation: u64,
}

/// Look-ups to keep. Pure.
#[derive(Default)]
pub(crate) struct Routes {
    found: HashMap<Target, Route>,
    generation: u64,
}

impl Routes {
    pub(crate) fn get(&self, target: &Target) -> Option<Route> {
        self.found.get(target).cloned()
    }

    pub(crate) fn put(&mut self, target: Target, node: Address) -> Route {
        self.generation += 1;
        let route = Route { node, generation: self.generation };
        self.found.insert(target, route.clone());
        route
    }

    /// Drops this look-up, unless somebody has looked again since.
    pub(crate) fn invalidate(&mut self, target: &Target, route: &Route) {
        if self.found.get(target).is_some_and(|found| found.generation == route.generation) {
            self.found.remove(target);
        }
    }

    pub(crate) fn forget(&mut self, target: &Target) {
        self.found.remove(target);
    }

    /// Drops all look-ups that name a node that is gone.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&Address) -> bool) {
        self.found.retain(|_, route| is_known(&route.node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_look_up_is_dropped_once_and_a_newer_one_is_kept() {
        let mut routes = Routes::default();
        let shard = Target::Shard(1);
        let stale = routes.put(shard.clone(), Address::new("a", 1));
        routes.invalidate(&shard, &stale);
        assert_eq!(routes.get(&shard), None);
        let fresh = routes.put(shard.clone(), Address::new("b", 1));
        routes.invalidate(&shard, &stale);
        assert_eq!(routes.get(&shard), Some(fresh));
        routes.retain(|node| *node != Address::new("b", 1));
        assert_eq!(routes.get(&shard), None);
    }
}
