//! The vectors of Twilio's own libraries (token `12345`), and ours for messaging.

use proptest::prelude::*;

use super::*;

/// URL, parameters, signature.
type Vector<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

const TOKEN: &str = "12345";
const OWN_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const U: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

const P: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
];

fn pairs(parts: &[&[(&str, &str)]]) -> Vec<(String, String)> {
    parts.concat().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn valid(token: &str, header: &str, url: &str, params: &[(&str, &str)]) -> bool {
    validate(&[token], header, url, Body::Form(&pairs(&[params])))
}

#[test]
fn official_form_vectors() {
    let digits: &[(&str, &str)] = &[
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ];
    let conference = [P, &[("ReasonConferenceEnded", "test"), ("Reason", "Participant")]].concat();
    let address = "MessagingBinding.Address";
    let bindings = [(address, "+1325xxxxxxx"), (address, "+1415xxxxxxx")];
    let reversed = [(address, "+1415xxxxxxx"), (address, "+1325xxxxxxx")];
    let apostrophe = format!("{U}&Body=It's+amazing");
    let cases: &[Vector<'_>] = &[
        (U, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (U, P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", P, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("http://mycompany.com:80/myapp.php?foo=1&bar=2", P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", P, "CukzLTc1tT5dXEDIHm/tKBanW10="),
        ("https://user@mycompany.com/myapp.php?foo=1&bar=2", P, "2YRLlVAflCqxaNicjMpJcSTgzSs="),
        ("https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2", P, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
        ("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", P, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
        (&apostrophe, P, "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
        (U, &bindings, "83O6e2vORAoJHUNzJjDWN1jz+BA="),
        (U, &reversed, "83O6e2vORAoJHUNzJjDWN1jz+BA="),
        (U, digits, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (U, &conference, "vOEb5UThFn24KEfnOFLQY2AE5FY="),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", &conference, "n2xBNyzSW7rfYStDtOFiFMv7qNo="),
        (U, &[("property", "value"), ("boolean", "true")], "NBdBDr/T/lgjI+tlgpXjKZQZs/k="),
    ];
    for (url, params, header) in cases {
        assert!(valid(TOKEN, header, url, params), "{header} for {url}");
    }
}

#[test]
fn official_raw_body_vectors() {
    const HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    const EMPTY: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let json = br#"{"property": "value", "boolean": true}"#;
    let cases: &[(String, &[u8], &str)] = &[
        (format!("{U}&bodySHA256={HASH}"), json, "a9nBmqA0ju/hNViExpshrM61xv4="),
        (format!("https://mycompany.com/myapp.php?bodySHA256={HASH}"), json, "y77kIzt2vzLz71DgmJGsen2scGs="),
        (format!("{U}&bodySHA256={EMPTY}"), b"{}", "Ldidvp12m26NI7eqEvxnEpkd9Hc="),
        (format!("{U}&bodySHA256={EMPTY}"), b"{}", "rw/jVviOgicj2+kHZULvebnA4ag="),
    ];
    for (url, body, header) in cases {
        assert!(validate(&[TOKEN], header, url, Body::Raw(body)), "{header}");
        assert!(!validate(&[TOKEN], header, url, Body::Raw(b"{} ")), "another body: {header}");
        assert!(!validate(&["54321"], header, url, Body::Raw(body)), "another token: {header}");
    }
    let unhashed = sign(TOKEN, U, &[]);
    assert!(!validate(&[TOKEN], &unhashed, U, Body::Raw(json)), "a body without its hash proves nothing");
}

fn messaging(body: &'static str) -> Vec<(&'static str, &'static str)> {
    const SID: &str = "SM00000000000000000000000000000001";
    vec![
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("ApiVersion", "2010-04-01"),
        ("Body", body),
        ("From", "+61412345678"),
        ("FromCity", ""),
        ("FromCountry", "AU"),
        ("FromState", ""),
        ("FromZip", ""),
        ("MessageSid", SID),
        ("SmsMessageSid", SID),
        ("SmsSid", SID),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsStatus", "received"),
        ("To", "+61400000001"),
        ("ToCity", ""),
        ("ToCountry", "AU"),
        ("ToState", ""),
        ("ToZip", ""),
    ]
}

#[test]
fn messaging_vectors() {
    const INBOUND: &str = "https://crm.example.com/webhooks/twilio/inbound";
    const STATUS_SID: &str = "SM00000000000000000000000000000003";
    let with_tenant = format!("{INBOUND}?tenant=acme");
    let whatsapp = [
        ("Body", "Yes please"),
        ("ButtonPayload", "yes"),
        ("ButtonText", "Yes please"),
        ("From", "whatsapp:+61412345678"),
        ("MessageSid", "SM00000000000000000000000000000002"),
        ("NumMedia", "0"),
        ("ProfileName", "Zoë"),
        ("To", "whatsapp:+14155238886"),
        ("WaId", "61412345678"),
    ];
    let status = [
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("ApiVersion", "2010-04-01"),
        ("ErrorCode", "30003"),
        ("From", "+61400000001"),
        ("MessageSid", STATUS_SID),
        ("SmsSid", STATUS_SID),
        ("MessageStatus", "undelivered"),
        ("SmsStatus", "undelivered"),
        ("RawDlrDoneDate", "2607291045"),
        ("To", "+61412345678"),
    ];
    let stop = messaging("STOP");
    let emoji = messaging("it’s 😀 + 100% & = ok");
    let cases: &[Vector<'_>] = &[
        (&with_tenant, &stop, "ZQszmeXoYe5ZnWthA0sMYHgW9LM="),
        (&with_tenant, &emoji, "rmx1jqOQbbJHYROIZEu/3PmpLSE="),
        (INBOUND, &whatsapp, "gl25x5N0qSbzxjWRSJKlkNAy0Mg="),
        ("https://crm.example.com/webhooks/twilio/status", &status, "Y+RnUEgstoiR7oHt22R0dCC8+hk="),
        ("https://crm.example.com/cb?b=2&a=1&MessageSid=SM1", &[], "bui3qpcIGDnYC+kxzP6bgxCKceQ="),
        (
            "https://crm.example.com/cb",
            &[("a", "1"), ("B", "2"), ("_c", "3")],
            "+wMQzosL5bHYX9yeLKzAIUfyE7I=",
        ),
    ];
    for (url, params, header) in cases {
        assert_eq!(sign(OWN_TOKEN, url, &pairs(&[params])), *header);
        assert!(valid(OWN_TOKEN, header, url, params), "{header}");
        assert!(!valid(TOKEN, header, url, params), "another token: {header}");
    }
}

#[test]
fn what_must_be_rejected() {
    let conference = [P, &[("ReasonConferenceEnded", "test"), ("Reason", "Participant")]].concat();
    assert!(!valid(TOKEN, "95+Bu0JVPi0r/SsESZCVf0dWAjw=", U, &conference), "sorted wrongly");
    let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    for header in
        ["", "=", good.trim_end_matches('='), "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "not base64 but 28 chars ..."]
    {
        assert!(!valid(TOKEN, header, U, P), "{header}");
    }
    assert!(!valid(TOKEN, good, "https://mycompany.com/myapp.php?bar=2&foo=1", P), "query in another order");
    assert!(!valid(TOKEN, good, "http://mycompany.com/myapp.php?foo=1&bar=2", P), "another scheme");
    assert!(!valid(TOKEN, good, U, &P[1..]), "a parameter less");
    assert!(!validate(&[], good, U, Body::Form(&pairs(&[P]))), "no token");
    let with_empty_key = sign("", U, &pairs(&[P]));
    assert!(!valid("", &with_empty_key, U, P), "an empty token is no token");
}

#[test]
fn a_trailing_space_is_part_of_the_text() {
    let header = sign(TOKEN, U, &pairs(&[&[("Body", "STOP ")]]));
    assert!(valid(TOKEN, &header, U, &[("Body", "STOP ")]));
    assert!(!valid(TOKEN, &header, U, &[("Body", "STOP")]));
}

#[test]
fn both_tokens_of_a_rotation_are_good_and_a_fragment_is_not_signed() {
    let header = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    let with_fragment = format!("{U}#rc=2&rp=all");
    assert!(validate(&["new", TOKEN], header, U, Body::Form(&pairs(&[P]))));
    assert!(validate(&[TOKEN, "new"], header, &with_fragment, Body::Form(&pairs(&[P]))));
}

#[test]
fn a_query_may_have_been_encoded_anew() {
    let asked = "https://mycompany.com/myapp.php?name=a+b&x=(1)";
    let header = sign(TOKEN, "https://mycompany.com/myapp.php?name=a%20b&x=(1)", &[]);
    assert!(valid(TOKEN, &header, asked, &[]));
}

#[test]
fn ports_of_unusual_authorities() {
    let port = |url: &str| ports(url).map(|spelling| spelling.expect("a scheme with a default port"));
    assert_eq!(port("http://[::1]/a"), ["http://[::1]/a", "http://[::1]:80/a"]);
    assert_eq!(port("http://[::1]:8080/a"), ["http://[::1]/a", "http://[::1]:8080/a"]);
    assert_eq!(port("https://a?b=c:1"), ["https://a?b=c:1", "https://a:443?b=c:1"]);
    assert_eq!(ports("nonsense"), [None, None]);
}

proptest! {
    #[test]
    fn what_is_signed_validates_in_any_order(
        mut params in proptest::collection::vec((".{0,12}", ".{0,40}"), 0..12),
        path in "[a-z0-9/?&=%+' ]{0,40}",
    ) {
        let url = format!("https://crm.example.com/{path}");
        let header = sign(TOKEN, &url, &params);
        params.reverse();
        prop_assert!(validate(&[TOKEN], &header, &url, Body::Form(&params)));
    }

    #[test]
    fn strangers_cannot_make_it_panic(url in ".{0,80}", header in ".{0,40}", body in ".{0,40}") {
        prop_assert!(!validate(&[TOKEN], &header, &url, Body::Raw(body.as_bytes())));
        prop_assert!(!validate(&[TOKEN], "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", &url, Body::Form(&[])));
    }
}
