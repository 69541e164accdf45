//! The ladder of a call: every place that may answer it, in order.

use super::model::{Model, Models};
use super::upstream::Upstream;
use super::{Config, Credentials};
use crate::error::{Error, ErrorKind};
use crate::exchange::{self, Capabilities, Plan, Random};
use crate::reply;
use crate::request::{Dialect, Endpoint, Replay, Request};

/// Where a call goes first, if nothing is known of anybody's health.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The upstream that serves the model.
    pub upstream: &'a Upstream,
    /// The model's id there.
    pub model: &'a str,
    /// The model's own rule for earlier reasoning; `None`: the dialect's.
    pub replay: Option<Replay>,
}

/// An upstream that serves a model, and the entry by which it does; none for an upstream's own list.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    upstream: &'a Upstream,
    model: &'a str,
    entry: Option<&'a Model>,
}

impl Place<'_> {
    fn weight(&self) -> Option<u32> {
        self.entry.and_then(|entry| entry.weight).or(self.upstream.weight)
    }

    fn route(&self, stream: bool, shared_account: bool) -> exchange::Route {
        let Place { upstream, model, entry } = *self;
        exchange::Route {
            replay: entry.and_then(|entry| entry.replay),
            // DeepSeek and SiliconFlow send the usage unasked; it is hidden from callers who did not ask.
            add_usage: stream && upstream.dialect == Dialect::OpenAi,
            think_tags: upstream.think_tags,
            budgets: entry.map_or(upstream.budgets, |entry| entry.budgets),
            capabilities: entry.map_or(Capabilities::default(), |entry| entry.capabilities),
            continuation: entry.and_then(|entry| entry.continuation),
            shared_account,
            price: entry.and_then(|entry| entry.price),
            ..exchange::Route::new(&upstream.name, model, upstream.dialect)
        }
    }
}

/// Who serves `model`, in the order of the text: those that list the id; else those with the longest pattern that fits; else those
/// that take their own list.
pub(super) fn serving<'a>(upstreams: &'a [Upstream], model: &'a str) -> Vec<Place<'a>> {
    let mut best = 0;
    let mut places = Vec::new();
    for upstream in upstreams {
        let (rank, entry) = match &upstream.models {
            Models::Upstream => (0, None),
            Models::Listed(entries) => {
                let fitting = entries.iter().filter_map(|entry| Some((entry.fits(model)?, entry)));
                let Some((rank, entry)) = fitting.max_by_key(|(rank, _)| *rank) else { continue };
                (rank, Some(entry))
            }
        };
        if rank > best {
            places.clear();
            best = rank;
        }
        if rank == best {
            let id = entry.and_then(|entry| entry.upstream_id.as_deref()).unwrap_or(model);
            places.push(Place { upstream, model: id, entry });
        }
    }
    places
}

/// Puts one place first, drawn by weight. Without any weight the order stays.
fn draw(places: &mut [Place<'_>], random: u64) {
    if places.iter().all(|place| place.weight().is_none()) {
        return;
    }
    let weight = |place: &Place<'_>| u64::from(place.weight().unwrap_or(1));
    let total: u64 = places.iter().map(weight).sum();
    let Some(mut rest) = random.checked_rem(total) else { return };
    let drawn = places.iter().position(|place| match rest.checked_sub(weight(place)) {
        Some(behind) => {
            rest = behind;
            false
        }
        None => true,
    });
    if let Some(first) = drawn.and_then(|drawn| places.get_mut(..=drawn)) {
        first.rotate_right(1);
    }
}

impl Config {
    /// What a call may do: the ladder of the request's model, and what is done about failures. `seed` draws the first route where there
    /// are weights: any number that differs from call to call.
    ///
    /// A place whose upstream lacks what is asked for is left out.
    ///
    /// Errors: `invalid_request` if the request names no model, `model_not_found` if nobody serves it, `not_supported` if nobody who does has
    /// the endpoint.
    pub fn plan(&self, request: &Request, seed: u64) -> Result<Plan, Error> {
        let model = request.model().ok_or_else(|| {
            let message = "Required: the model's id, as GET /v1/models lists it.";
            Error::new(ErrorKind::InvalidRequest, message).with_param("model")
        })?;
        let passes_through = self.callers.credentials() == Credentials::PassThrough;
        // Not the seed itself: the waits of the call are drawn with that.
        let mut random = Random::new(!seed);
        let mut routes: Vec<exchange::Route> = Vec::new();
        let mut host = None;
        let mut is_known = false;
        for id in self.fallbacks.ids(model) {
            let mut places = serving(&self.upstreams, id);
            if passes_through {
                // A caller's key is for one vendor: no other one gets to see it, and no draw decides whose it is.
                let vendor = host.or_else(|| places.first().map(|place| place.upstream.base_url.host()));
                places.retain(|place| Some(place.upstream.base_url.host()) == vendor);
                host = vendor;
            }
            is_known |= !places.is_empty();
            places.retain(|place| place.upstream.serves(request.endpoint()));
            draw(&mut places, random.next());
            for place in places {
                let route = place.route(request.is_stream(), !passes_through);
                if !routes.iter().any(|other| other.key == route.key) {
                    routes.push(route);
                }
            }
            if !is_known {
                return Err(not_found());
            }
        }
        if routes.is_empty() {
            return Err(no_endpoint(request.endpoint()));
        }
        Ok(Plan {
            total: routes.first().map_or(0, |route| route.budgets.total),
            routes,
            recovery: self.recovery,
            forward: true,
            reply: reply::Options { limits: self.limits, ..reply::Options::default() },
        })
    }

    /// The upstream of a route of this configuration's plans.
    pub fn upstream_of(&self, route: &exchange::Route) -> Option<&Upstream> {
        self.upstreams.iter().find(|upstream| upstream.name == route.source)
    }

    /// All who serve `model`, in the order of the text.
    ///
    /// Errors: `model_not_found`.
    pub fn places<'a>(&'a self, model: &'a str) -> Result<Vec<Route<'a>>, Error> {
        let places = serving(&self.upstreams, model).into_iter();
        let places: Vec<_> = places
            .map(|Place { upstream, model, entry }| Route {
                upstream,
                model,
                replay: entry.and_then(|entry| entry.replay),
            })
            .collect();
        if places.is_empty() { Err(not_found()) } else { Ok(places) }
    }

    /// Who serves `model`, where only one is asked.
    ///
    /// Errors: `model_not_found`.
    pub fn route<'a>(&'a self, model: &'a str) -> Result<Route<'a>, Error> {
        let places = serving(&self.upstreams, model);
        let Place { upstream, model, entry } = *places.first().ok_or_else(not_found)?;
        Ok(Route { upstream, model, replay: entry.and_then(|entry| entry.replay) })
    }
}

fn no_endpoint(endpoint: Endpoint) -> Error {
    let message = ["No upstream that serves this model has /v1", endpoint.path(), "."].concat();
    Error::new(ErrorKind::NotSupported, message).with_param("model")
}

fn not_found() -> Error {
    Error::new(ErrorKind::ModelNotFound, "No upstream of this gate serves this model.").with_param("model")
}
