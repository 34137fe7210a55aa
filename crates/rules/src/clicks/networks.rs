//! Networks that people do not sit in.
//!
//! The large blocks that cloud providers publish as theirs (`ip-ranges.json` and its like), coarse on purpose: a
//! block that is missing costs one signal among many. Relays stand in data centres, but people come through them.

use std::net::{IpAddr, Ipv4Addr};

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A data centre.
    Hosting,
    /// iCloud Private Relay, or a VPN that people use.
    Relay,
}

type Block = ([u8; 4], u32);

const RELAYS: &[Block] = &[([104, 28, 0, 0], 16), ([146, 75, 0, 0], 16), ([172, 224, 0, 0], 12)];

const HOSTING: &[Block] = &[
    // Amazon
    ([3, 0, 0, 0], 8),
    ([13, 32, 0, 0], 12),
    ([13, 48, 0, 0], 13),
    ([13, 112, 0, 0], 14),
    ([13, 124, 0, 0], 14),
    ([13, 208, 0, 0], 12),
    ([13, 224, 0, 0], 12),
    ([34, 192, 0, 0], 10),
    ([44, 192, 0, 0], 10),
    ([50, 16, 0, 0], 14),
    ([52, 0, 0, 0], 10),
    ([52, 64, 0, 0], 12),
    ([54, 64, 0, 0], 10),
    ([54, 144, 0, 0], 12),
    ([54, 160, 0, 0], 11),
    ([54, 192, 0, 0], 10),
    ([107, 20, 0, 0], 14),
    ([174, 129, 0, 0], 16),
    ([184, 72, 0, 0], 15),
    // Google, its fetchers included
    ([34, 64, 0, 0], 10),
    ([35, 184, 0, 0], 13),
    ([35, 192, 0, 0], 11),
    ([35, 224, 0, 0], 12),
    ([35, 240, 0, 0], 13),
    ([64, 233, 160, 0], 19),
    ([66, 102, 0, 0], 20),
    ([66, 249, 64, 0], 19),
    ([72, 14, 192, 0], 18),
    ([74, 125, 0, 0], 16),
    ([104, 154, 0, 0], 15),
    ([104, 196, 0, 0], 14),
    ([130, 211, 0, 0], 16),
    ([142, 250, 0, 0], 15),
    ([146, 148, 0, 0], 17),
    ([172, 217, 0, 0], 16),
    ([173, 194, 0, 0], 16),
    ([209, 85, 128, 0], 17),
    ([216, 239, 32, 0], 19),
    // Microsoft
    ([13, 64, 0, 0], 11),
    ([20, 40, 0, 0], 13),
    ([20, 48, 0, 0], 12),
    ([20, 64, 0, 0], 10),
    ([20, 184, 0, 0], 13),
    ([20, 192, 0, 0], 10),
    ([40, 64, 0, 0], 10),
    ([52, 96, 0, 0], 12),
    ([52, 112, 0, 0], 14),
    ([52, 136, 0, 0], 13),
    ([52, 160, 0, 0], 11),
    ([52, 224, 0, 0], 11),
    ([104, 40, 0, 0], 13),
    ([104, 208, 0, 0], 13),
    ([137, 116, 0, 0], 15),
    ([168, 62, 0, 0], 15),
    // Meta
    ([31, 13, 64, 0], 18),
    ([66, 220, 144, 0], 20),
    ([69, 63, 176, 0], 20),
    ([69, 171, 224, 0], 19),
    ([157, 240, 0, 0], 16),
    ([173, 252, 64, 0], 18),
    // Cloudflare and Fastly
    ([104, 16, 0, 0], 13),
    ([104, 24, 0, 0], 14),
    ([108, 162, 192, 0], 18),
    ([141, 101, 64, 0], 18),
    ([162, 158, 0, 0], 15),
    ([172, 64, 0, 0], 13),
    ([173, 245, 48, 0], 20),
    ([188, 114, 96, 0], 20),
    ([151, 101, 0, 0], 16),
    ([199, 232, 0, 0], 16),
    // Hetzner
    ([5, 9, 0, 0], 16),
    ([46, 4, 0, 0], 16),
    ([65, 21, 0, 0], 16),
    ([65, 108, 0, 0], 15),
    ([78, 46, 0, 0], 15),
    ([88, 99, 0, 0], 16),
    ([88, 198, 0, 0], 16),
    ([94, 130, 0, 0], 16),
    ([95, 216, 0, 0], 15),
    ([116, 202, 0, 0], 15),
    ([135, 181, 0, 0], 16),
    ([136, 243, 0, 0], 16),
    ([138, 201, 0, 0], 16),
    ([144, 76, 0, 0], 16),
    ([148, 251, 0, 0], 16),
    ([157, 90, 0, 0], 16),
    ([159, 69, 0, 0], 16),
    ([162, 55, 0, 0], 16),
    ([167, 235, 0, 0], 16),
    ([168, 119, 0, 0], 16),
    ([176, 9, 0, 0], 16),
    ([178, 63, 0, 0], 16),
    ([188, 40, 0, 0], 16),
    ([195, 201, 0, 0], 16),
    // OVH
    ([51, 68, 0, 0], 16),
    ([51, 75, 0, 0], 16),
    ([51, 77, 0, 0], 16),
    ([51, 79, 0, 0], 16),
    ([51, 83, 0, 0], 16),
    ([51, 89, 0, 0], 16),
    ([51, 91, 0, 0], 16),
    ([51, 178, 0, 0], 16),
    ([51, 195, 0, 0], 16),
    ([51, 210, 0, 0], 16),
    ([51, 222, 0, 0], 16),
    ([51, 254, 0, 0], 15),
    ([54, 36, 0, 0], 14),
    ([91, 121, 0, 0], 16),
    ([137, 74, 0, 0], 16),
    ([139, 99, 0, 0], 16),
    ([144, 217, 0, 0], 16),
    ([145, 239, 0, 0], 16),
    ([147, 135, 0, 0], 16),
    ([149, 56, 0, 0], 16),
    ([158, 69, 0, 0], 16),
    ([167, 114, 0, 0], 16),
    ([176, 31, 0, 0], 16),
    ([178, 32, 0, 0], 15),
    ([188, 165, 0, 0], 16),
    ([192, 99, 0, 0], 16),
    // DigitalOcean
    ([46, 101, 0, 0], 16),
    ([68, 183, 0, 0], 16),
    ([104, 131, 0, 0], 16),
    ([104, 236, 0, 0], 16),
    ([104, 248, 0, 0], 16),
    ([128, 199, 0, 0], 16),
    ([134, 209, 0, 0], 16),
    ([138, 68, 0, 0], 16),
    ([138, 197, 0, 0], 16),
    ([139, 59, 0, 0], 16),
    ([142, 93, 0, 0], 16),
    ([157, 230, 0, 0], 16),
    ([157, 245, 0, 0], 16),
    ([159, 65, 0, 0], 16),
    ([159, 89, 0, 0], 16),
    ([159, 203, 0, 0], 16),
    ([161, 35, 0, 0], 16),
    ([164, 90, 0, 0], 16),
    ([165, 22, 0, 0], 16),
    ([165, 227, 0, 0], 16),
    ([167, 71, 0, 0], 16),
    ([167, 99, 0, 0], 16),
    ([167, 172, 0, 0], 16),
    ([178, 62, 0, 0], 16),
    ([178, 128, 0, 0], 16),
    ([188, 166, 0, 0], 16),
    ([206, 189, 0, 0], 16),
    // Linode
    ([45, 33, 0, 0], 17),
    ([45, 79, 0, 0], 16),
    ([139, 162, 0, 0], 16),
    ([172, 104, 0, 0], 15),
    ([173, 255, 192, 0], 18),
];

/// IPv6 by its first two groups, the size of an allocation to a provider.
const HOSTING_V6: &[([u16; 2], Network)] = &[
    ([0x2a03, 0x2880], Network::Hosting), // Meta
    ([0x2606, 0x4700], Network::Hosting), // Cloudflare
    ([0x2a06, 0x98c0], Network::Hosting),
    ([0x2a01, 0x04f8], Network::Hosting), // Hetzner
    ([0x2a01, 0x04f9], Network::Hosting),
    ([0x2001, 0x41d0], Network::Hosting), // OVH
    ([0x2604, 0xa880], Network::Hosting), // DigitalOcean
    ([0x2a03, 0xb0c0], Network::Hosting),
    ([0x2600, 0x1900], Network::Hosting), // Google Cloud
    ([0x2600, 0x1f00], Network::Hosting), // Amazon
    ([0x2a04, 0x4e41], Network::Relay),   // iCloud Private Relay
    ([0x2a02, 0x26f7], Network::Relay),
];

/// What is known of the network of an address.
pub fn network_of(address: IpAddr) -> Option<Network> {
    match address.to_canonical() {
        IpAddr::V4(address) if within(RELAYS, address) => Some(Network::Relay),
        IpAddr::V4(address) if within(HOSTING, address) => Some(Network::Hosting),
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            HOSTING_V6.iter().find(|(block, _)| *block == [first, second]).map(|(_, network)| *network)
        }
    }
}

fn within(blocks: &[Block], address: Ipv4Addr) -> bool {
    let address = u32::from(address);
    blocks.iter().any(|(first, bits)| {
        let shift = 32 - bits;
        address >> shift == u32::from(Ipv4Addr::from(*first)) >> shift
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_where_they_say() {
        for (first, bits) in RELAYS.iter().chain(HOSTING) {
            let first = u32::from(Ipv4Addr::from(*first));
            assert!((8..=24).contains(bits) && first.trailing_zeros() >= 32 - bits, "{first:x}/{bits}");
        }
    }

    #[test]
    fn addresses_are_placed() {
        for (address, network) in [
            ("66.249.84.12", Some(Network::Hosting)),
            ("::ffff:66.249.84.12", Some(Network::Hosting)),
            ("2a03:2880:f003::1", Some(Network::Hosting)),
            ("104.28.31.7", Some(Network::Relay)),
            ("2a02:26f7:c9c4::1", Some(Network::Relay)),
            ("1.129.105.8", None), // a mobile carrier
            ("2001:8003:1::1", None),
            ("192.168.1.4", None),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network, "{address}");
        }
    }
}
