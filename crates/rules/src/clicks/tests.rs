use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
const PIXEL: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const OLD: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36";

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 12, 0, 0).unwrap()
}

/// A person with a telephone, a minute after the message came.
fn person() -> Facts<'static> {
    Facts {
        at: noon(),
        channel: Channel::Sms,
        method: "GET",
        user_agent: IPHONE,
        prefetch: false,
        names_language: true,
        names_fetch: true,
        address: "1.129.105.8".parse().ok(),
        sent_at: Some(noon() - TimeDelta::seconds(64)),
        delivered_at: Some(noon() - TimeDelta::seconds(60)),
        links_nearby: 1,
        hits_nearby: 1,
        recipients_nearby: 1,
        trapped: false,
        abroad: false,
        confirmed: false,
    }
}

#[test]
fn programs_are_known_by_name() {
    for agent in [
        "",
        " ",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "WhatsApp/2.24.8.78 A",
        "WhatsApp/2.2413.51 W",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "facebookcatalog/1.0",
        "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
        "Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Slack-ImgProxy (+https://api.slack.com/robots)",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Pinterestbot/1.0",
        "Viber/21.0",
        "facebookexternalhit/1.1;line-poker/1.0 Line/13.0",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 BingPreview/1.0b",
        "BarracudaCentral",
        "python-requests/2.32.3",
        "Go-http-client/2.0",
        "VirusTotal",
        "urlscan.io",
        "Google-Safety (+http://www.google.com/bot.html)",
        "GoogleOther",
        "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
        "Mozilla/5.0 (compatible; Bytespider)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0)",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36",
        "Mozilla/5.0 PhantomJS/2.1.1",
        "curl/8.5.0",
        "Wget/1.21",
        "okhttp/4.12.0",
        "Java/17.0.2",
        "axios/1.7.2",
        "node-fetch/1.0",
        "libwww-perl/6.67",
        "SomeUptimeMonitor/3",
        "a web crawler",
        "url-scanner",
    ] {
        assert!(is_program(agent), "{agent}");
        let verdict = judge(&Facts { user_agent: agent, ..person() });
        assert!(verdict.is_bot() && verdict.reasons.contains(&Reason::Agent), "{agent}: {verdict:?}");
    }
}

#[test]
fn browsers_of_people_are_not_programs() {
    for agent in [
        IPHONE,
        PIXEL,
        "Mozilla/5.0 (Linux; Android 13; CUBOT_X30) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Mozilla/5.0 (Android 14; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0 Offline/1",
    ] {
        assert!(!is_program(agent), "{agent}");
        assert!(!judge(&Facts { user_agent: agent, ..person() }).is_bot(), "{agent}");
    }
}

/// Each signal alone: what it is called, and what it adds to a person's zero.
#[test]
fn every_signal_has_its_weight() {
    let seconds = |n| Some(noon() - TimeDelta::seconds(n));
    let cases: Vec<(Facts<'_>, &[Reason], i16)> = vec![
        (person(), &[], 0),
        (Facts { method: "HEAD", ..person() }, &[Reason::Method], 100),
        (Facts { method: "OPTIONS", ..person() }, &[Reason::Method], 100),
        (Facts { prefetch: true, ..person() }, &[Reason::Prefetch], 100),
        (Facts { trapped: true, ..person() }, &[Reason::Trap], 100),
        (Facts { delivered_at: seconds(-1), ..person() }, &[Reason::TooSoon], 60),
        (Facts { delivered_at: seconds(1), ..person() }, &[Reason::TooSoon], 60),
        (Facts { delivered_at: seconds(2), ..person() }, &[], 0),
        (Facts { delivered_at: seconds(4), channel: Channel::Email, ..person() }, &[Reason::TooSoon], 60),
        (Facts { delivered_at: seconds(5), channel: Channel::Email, ..person() }, &[], 0),
        (Facts { delivered_at: None, ..person() }, &[], 0),
        (Facts { sent_at: seconds(10), ..person() }, &[Reason::JustSent], 25),
        (Facts { sent_at: seconds(11), ..person() }, &[], 0),
        (Facts { address: "66.249.84.1".parse().ok(), ..person() }, &[Reason::Hosting], 50),
        (Facts { address: "104.28.9.9".parse().ok(), ..person() }, &[Reason::Relay], 10),
        (Facts { address: None, ..person() }, &[], 0),
        (Facts { links_nearby: 3, ..person() }, &[Reason::Burst], 50),
        (Facts { hits_nearby: 3, ..person() }, &[Reason::Burst], 50),
        (Facts { links_nearby: 2, hits_nearby: 2, ..person() }, &[], 0),
        (Facts { recipients_nearby: 5, ..person() }, &[Reason::Crowd], 60),
        (Facts { recipients_nearby: 4, ..person() }, &[], 0),
        (Facts { names_language: false, ..person() }, &[Reason::NoLanguage], 25),
        (Facts { names_fetch: false, user_agent: PIXEL, ..person() }, &[Reason::NoFetchMetadata], 15),
        // Safari learned it later, and says so with its version only.
        (Facts { names_fetch: false, ..person() }, &[], 0),
        (Facts { user_agent: OLD, names_fetch: false, ..person() }, &[Reason::Outdated], 30),
        (Facts { abroad: true, ..person() }, &[Reason::Abroad], 10),
        (Facts { confirmed: true, ..person() }, &[Reason::Confirmed], -80),
    ];
    for (facts, reasons, score) in cases {
        let verdict = judge(&facts);
        assert_eq!((verdict.reasons.as_slice(), verdict.score), (reasons, score), "{facts:?}");
        assert_eq!(verdict.is_bot(), score >= THRESHOLD);
    }
}

#[test]
fn weak_signals_add_up_and_evidence_outweighs_them() {
    let carrier_scanner = Facts {
        user_agent: OLD,
        names_language: false,
        names_fetch: false,
        sent_at: Some(noon() - TimeDelta::seconds(3)),
        delivered_at: None,
        ..person()
    };
    assert_eq!(judge(&carrier_scanner).score, 80);
    let office = Facts { address: "40.94.20.1".parse().ok(), names_language: false, ..person() };
    assert!(judge(&office).is_bot());
    assert!(!judge(&Facts { confirmed: true, ..office }).is_bot());
    // What is certain stays certain.
    assert!(judge(&Facts { confirmed: true, method: "HEAD", ..person() }).is_bot());
}

#[test]
fn prefetches_announce_themselves() {
    for (name, value) in [
        ("purpose", "prefetch"),
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ] {
        assert!(is_prefetch(name, value), "{name}: {value}");
    }
    assert!(!is_prefetch("accept", "prefetch") && !is_prefetch("purpose", "navigation"));
}

proptest! {
    #[test]
    fn nothing_that_strangers_send_breaks_it(agent in ".{0,300}", method in ".{0,12}", ip in any::<u128>(), near in any::<[u32; 3]>()) {
        let facts = Facts {
            user_agent: &agent,
            method: &method,
            address: Some(std::net::Ipv6Addr::from(ip).into()),
            links_nearby: near[0],
            hits_nearby: near[1],
            recipients_nearby: near[2],
            ..person()
        };
        let verdict = judge(&facts);
        prop_assert!((-80..=400).contains(&verdict.score));
        prop_assert_eq!(verdict.clone(), judge(&facts));
        // More company never makes a hit more human.
        let busier = Facts { hits_nearby: near[1].saturating_add(1), ..facts };
        prop_assert!(judge(&busier).score >= verdict.score);
    }
}
