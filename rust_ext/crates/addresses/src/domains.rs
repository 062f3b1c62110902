//! A set of millions of domains: their bytes in one arena, found through an open-addressing table.
//!
//! A lookup asks for a host and every domain above it. Hashes run from the last byte to the first, so that one
//! pass over the host gives the hash of each of them. A byte of the hash stands beside each slot (one cache
//! line holds 64 slots), so that most of what is not there is refused without touching the arena; what is
//! found is compared byte by byte.
//!
//! Memory: 5 bytes a slot, 1.6 to 3.2 slots a domain, and 3 bytes a domain beside its own: 26 to 34 MB a
//! million domains of 15 letters.

const EMPTY: u8 = 0;
/// Labels of a host that are looked up at once; deeper hosts take the slower way.
pub const LABELS: usize = 6;

/// Hashes of a host and of the domains above it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Probe {
    /// Hash, and where the domain begins in the host; the shortest domain first.
    places: [(u64, usize); LABELS],
    count: usize,
    /// The host has more labels than fit.
    deep: bool,
}

impl Probe {
    /// The hashes of a host and of all domains above it.
    pub fn new(host: &[u8]) -> Self {
        let mut probe = Self::default();
        probe.set(host);
        probe
    }

    /// Makes this the probe of another host, in place: copying one waits for its parts to be written.
    pub fn set(&mut self, host: &[u8]) {
        let mut hash = FIRST;
        (self.count, self.deep) = (0, false);
        for at in (0..host.len()).rev() {
            hash = step(hash, host[at]);
            if at == 0 || host[at - 1] == b'.' {
                if self.count == LABELS {
                    self.deep = true;
                    break;
                }
                self.places[self.count] = (finish(hash), at);
                self.count += 1;
            }
        }
    }
}

/// Domains, each with a number of 16 bits (its list).
pub struct Domains {
    /// Length (u8), number (u16), bytes of each domain.
    arena: Vec<u8>,
    tags: Vec<u8>,
    places: Vec<u32>,
    count: usize,
}

impl Default for Domains {
    fn default() -> Self {
        Self::new()
    }
}

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV-1a leaves high bits of short names alike; two rounds of multiplication mix them.
fn finish(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}

const FIRST: u64 = 0xcbf2_9ce4_8422_2325;

impl Domains {
    pub fn new() -> Self {
        Self {
            arena: Vec::new(),
            tags: vec![EMPTY; 16],
            places: vec![0; 16],
            count: 0,
        }
    }

    /// The number of domains.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that the set takes.
    pub fn memory(&self) -> usize {
        self.arena.capacity() + self.tags.capacity() + self.places.capacity() * 4
    }

    /// Adds a domain; the number that it had stays. False where the domain is longer than 255 bytes or the
    /// arena is full (4 GiB).
    pub fn add(&mut self, domain: &[u8], number: u16) -> bool {
        let (Ok(length), Ok(place)) = (u8::try_from(domain.len()), u32::try_from(self.arena.len())) else {
            return false;
        };
        if (self.count + 1) * 8 > self.tags.len() * 5 {
            self.grow();
        }
        let hash = finish(domain.iter().rev().fold(FIRST, |hash, &b| step(hash, b)));
        let slot = match self.find(hash, domain) {
            Ok(_) => return true,
            Err(slot) => slot,
        };
        self.tags[slot] = tag(hash);
        self.places[slot] = place;
        self.count += 1;
        self.arena.push(length);
        self.arena.extend_from_slice(&number.to_le_bytes());
        self.arena.extend_from_slice(domain);
        true
    }

    /// The place of a domain in the arena, or the free slot where it would be.
    fn find(&self, hash: u64, domain: &[u8]) -> Result<usize, usize> {
        let mask = self.tags.len() - 1;
        let wanted = tag(hash);
        let mut slot = hash as usize & mask;
        loop {
            let found = self.tags[slot];
            if found == EMPTY {
                return Err(slot);
            }
            if found == wanted && self.at(self.places[slot]) == domain {
                return Ok(self.places[slot] as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn at(&self, place: u32) -> &[u8] {
        let place = place as usize;
        &self.arena[place + 3..][..usize::from(self.arena[place])]
    }

    fn grow(&mut self) {
        let size = self.tags.len() * 2;
        let old = std::mem::replace(&mut self.places, vec![0; size]);
        let tags = std::mem::replace(&mut self.tags, vec![EMPTY; size]);
        for (place, _) in old.into_iter().zip(tags).filter(|&(_, tag)| tag != EMPTY) {
            let hash = finish(self.at(place).iter().rev().fold(FIRST, |hash, &b| step(hash, b)));
            let mut slot = hash as usize & (size - 1);
            while self.tags[slot] != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            self.tags[slot] = tag(hash);
            self.places[slot] = place;
        }
    }

    /// The longest domain of the set that `host` is or lies below, and its number.
    pub fn covering<'a>(&self, host: &'a [u8]) -> Option<(&'a [u8], u16)> {
        let probe = Probe::new(host);
        self.resolve(host, &probe, self.tags_of(&probe))
    }

    /// What stands in the slots of a probe. Read for many hosts before any is resolved: the processor then waits
    /// for their memory at once, not one by one.
    pub fn tags_of(&self, probe: &Probe) -> [u8; LABELS] {
        let mask = self.tags.len() - 1;
        let mut tags = [EMPTY; LABELS];
        for (tag, &(hash, _)) in tags.iter_mut().zip(&probe.places[..probe.count]) {
            *tag = self.tags[hash as usize & mask];
        }
        tags
    }

    /// `covering` of a host whose probe and tags are at hand.
    pub fn resolve<'a>(&self, host: &'a [u8], probe: &Probe, tags: [u8; LABELS]) -> Option<(&'a [u8], u16)> {
        if probe.deep {
            return self.covering_deep(host);
        }
        let full = (0..probe.count).rev().filter(|&n| tags[n] != EMPTY);
        full.into_iter().find_map(|n| {
            let (hash, at) = probe.places[n];
            self.numbered(hash, &host[at..])
        })
    }

    /// The same for a host of more labels than `LABELS`.
    fn covering_deep<'a>(&self, host: &'a [u8]) -> Option<(&'a [u8], u16)> {
        let mut hash = FIRST;
        let mut found = None;
        for at in (0..host.len()).rev() {
            hash = step(hash, host[at]);
            if at == 0 || host[at - 1] == b'.' {
                found = self.numbered(finish(hash), &host[at..]).or(found);
            }
        }
        found
    }

    fn numbered<'a>(&self, hash: u64, domain: &'a [u8]) -> Option<(&'a [u8], u16)> {
        let place = self.find(hash, domain).ok()?;
        Some((
            domain,
            u16::from_le_bytes([self.arena[place + 1], self.arena[place + 2]]),
        ))
    }
}

fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8 | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// A map of strings asked for every suffix is the oracle.
        #[test]
        fn finds_what_a_map_finds(
            domains in prop::collection::vec("[ab]{1,2}(\\.[abc]{1,2}){0,3}", 0..200),
            hosts in prop::collection::vec("[ab]{1,2}(\\.[abc]{1,2}){0,8}", 0..50),
        ) {
            let mut set = Domains::new();
            let mut map = BTreeMap::new();
            for (n, domain) in domains.iter().enumerate() {
                prop_assert!(set.add(domain.as_bytes(), n as u16));
                map.entry(domain.clone()).or_insert(n as u16);
            }
            prop_assert_eq!(set.len(), map.len());
            for host in &hosts {
                let mut rest = Some(host.as_str());
                let mut expected = None;
                while let Some(domain) = rest {
                    if let Some(&number) = map.get(domain) {
                        expected = Some((domain.as_bytes(), number));
                        break;
                    }
                    rest = domain.split_once('.').map(|(_, above)| above);
                }
                prop_assert_eq!(set.covering(host.as_bytes()), expected);
            }
        }
    }

    #[test]
    fn a_domain_too_long_is_refused() {
        assert!(!Domains::new().add(&[b'a'; 256], 0));
    }
}
