//! mDNS and a list of known addresses, as one discovery.

use std::sync::Arc;

use async_trait::async_trait;
use mesh::{MdnsDiscovery, StaticDiscovery};
use providers::{Announcement, Discovery, Found, PeerId};

pub struct Discoveries {
    mdns: Option<Arc<MdnsDiscovery>>,
    known: StaticDiscovery,
}

impl Discoveries {
    pub fn start(
        local: &PeerId,
        known: Vec<(PeerId, Vec<String>)>,
        multicast: bool,
    ) -> Discoveries {
        Discoveries {
            mdns: multicast.then(|| Arc::new(MdnsDiscovery::start(local.clone()))),
            known: StaticDiscovery::new(local, known),
        }
    }
}

#[async_trait]
impl Discovery for Discoveries {
    fn announce(&self, announcement: Announcement) {
        if let Some(mdns) = &self.mdns {
            mdns.announce(announcement);
        }
    }

    async fn next(&self) -> Option<Found> {
        let Some(mdns) = &self.mdns else {
            return self.known.next().await;
        };
        tokio::select! {
            found = self.known.next() => found,
            found = mdns.next() => match found {
                Some(found) => Some(found),
                // Without multicast the list goes on alone.
                None => self.known.next().await,
            },
        }
    }

    fn unavailable(&self) -> Option<String> {
        match &self.mdns {
            Some(mdns) => mdns.unavailable(),
            None => Some(
                "Multicast is switched off: lanes find each other by the addresses they know."
                    .to_owned(),
            ),
        }
    }
}
