//! How often `token/get` may be called, so that secrets cannot be guessed and a client that forgets to keep its token
//! is told so.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    state::keyed::HashMapStateStore,
};
use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use crate::store::DepartmentRow;

/// Callers remembered; past it those who have been quiet are forgotten.
const REMEMBERED: usize = 8_192;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, MonotonicClock>;

pub(super) struct Throttle {
    departments: Limiter<DepartmentRow>,
    addresses: Limiter<IpAddr>,
}

impl Throttle {
    /// `per_minute` for each department; an address may stand for many departments behind one proxy, so it has ten
    /// times that.
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        let address = Quota::per_minute(per_minute.saturating_mul(NonZeroU32::MIN.saturating_add(9)));
        Self {
            departments: RateLimiter::new(Quota::per_minute(per_minute), HashMapStateStore::default(), MonotonicClock),
            addresses: RateLimiter::new(address, HashMapStateStore::default(), MonotonicClock),
        }
    }

    /// Takes one try of an address, or says how long to wait.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Duration> {
        take(&self.addresses, network(address))
    }

    /// Takes one try of a department, or says how long to wait.
    pub(super) fn department(&self, department: DepartmentRow) -> Result<(), Duration> {
        take(&self.departments, department)
    }
}

fn take<K: Hash + Eq + Clone>(limiter: &Limiter<K>, key: K) -> Result<(), Duration> {
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
    limiter.check_key(&key).map_err(|until| until.wait_time_from(MonotonicClock.now()))
}

/// Whoever has one IPv6 address has its whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_departments_and_networks_apart() {
        let throttle = Throttle::new(NonZeroU32::new(2).unwrap());
        assert!(throttle.department(1).is_ok() && throttle.department(1).is_ok());
        let wait = throttle.department(1).unwrap_err();
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        assert!(throttle.department(2).is_ok());
        let addresses: [IpAddr; 2] = ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()];
        assert_eq!((0..40).filter(|try_number| throttle.address(addresses[try_number % 2]).is_ok()).count(), 20);
    }
}
