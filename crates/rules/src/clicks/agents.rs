//! Programs by their names.
//!
//! Sources: the vendors' documentation of their fetchers, and the names that HTTP libraries give themselves.

/// At the beginning of a word, in lower case.
const NAMES: &[&str] = &[
    // previews in messaging apps and social networks
    "google-pagerenderer",
    "facebookexternalhit",
    "facebookcatalog",
    "facebot",
    "meta-externalagent",
    "whatsapp/",
    "slack-imgproxy",
    "skypeuripreview",
    "viber",
    "line/",
    // scanners of mail and addresses
    "barracuda",
    "proofpoint",
    "mimecast",
    "virustotal",
    "urlscan",
    "google-safety",
    "googleother",
    "google-inspectiontool",
    // libraries and browsers without a person
    "headlesschrome",
    "phantomjs",
    "python-requests",
    "python-urllib",
    "aiohttp",
    "go-http-client",
    "curl",
    "wget",
    "okhttp",
    "java/",
    "axios",
    "node-fetch",
    "libwww",
    "apache-httpclient",
    "scrapy",
];

/// Anywhere, in lower case.
const WORDS: &[&str] = &["bot", "crawl", "spider", "preview", "scan", "fetch", "monitor"];

/// Telephones whose maker's name looks like one of them.
const INNOCENT: &[&str] = &["cubot"];

/// Whether a `User-Agent` is a program's. An empty one is.
pub fn is_program(user_agent: &str) -> bool {
    let mut agent = user_agent.trim().to_ascii_lowercase();
    for name in INNOCENT {
        agent = agent.replace(name, "");
    }
    agent.is_empty()
        || WORDS.iter().any(|word| agent.contains(word))
        || NAMES.iter().any(|name| begins_word(&agent, name))
}

fn begins_word(agent: &str, name: &str) -> bool {
    agent
        .match_indices(name)
        .any(|(at, _)| !agent[..at].ends_with(|before: char| before.is_ascii_alphanumeric()))
}

/// The `56` of `Chrome/56.0.2924.87`.
pub(super) fn chrome_version(user_agent: &str) -> Option<u32> {
    let (_, rest) = user_agent.split_once("Chrome/")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
