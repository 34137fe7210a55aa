use proptest::prelude::*;

use super::*;

const SID: &str = "SM00000000000000000000000000000001";

fn parsed(form: &str) -> Result<Webhook, WebhookError> {
    parse(&parse_form(form.as_bytes()))
}

fn inbound_of(form: &str) -> InboundMessage {
    match parsed(form) {
        Ok(Webhook::Inbound(message)) => *message,
        other => panic!("not an inbound message: {other:?}"),
    }
}

fn status_of(form: &str) -> StatusCallback {
    match parsed(form) {
        Ok(Webhook::Status(callback)) => *callback,
        other => panic!("not a status callback: {other:?}"),
    }
}

#[test]
fn an_sms_with_media_and_opt_out() {
    let message = inbound_of(&format!(
        "ToCountry=AU&ToState=&MessageSid={SID}&AccountSid=AC1&SmsStatus=received&Body=STOP+%0A&FromCity=\
         &From=%2B61412345678&To=%2B61400000001&NumMedia=2&MediaUrl0=https%3A%2F%2Fa%2F0&MediaContentType0=image%2Fpng\
         &MediaUrl1=https%3A%2F%2Fa%2F1&NumSegments=1&OptOutType=STOP&MessagingServiceSid=MG1"
    ));
    assert_eq!(message.body, "STOP \n", "nothing is trimmed");
    assert_eq!((message.from.as_str(), message.to.as_str()), ("+61412345678", "+61400000001"));
    assert_eq!(message.channel, Channel::Sms);
    assert_eq!(message.opt_out_type, Some(OptOutType::Stop));
    assert_eq!(message.segments, Some(1));
    assert_eq!(message.messaging_service_sid.as_deref(), Some("MG1"));
    assert_eq!(message.media[0].content_type.as_deref(), Some("image/png"));
    assert_eq!(message.media[1], Media { url: "https://a/1".to_owned(), content_type: None });
}

#[test]
fn a_whatsapp_button_and_place() {
    let message = inbound_of(&format!(
        "SmsMessageSid={SID}&SmsSid={SID}&MessageSid={SID}&Body=Yes+please&ButtonPayload=yes&ButtonText=Yes+please\
         &From=whatsapp%3A%2B61412345678&To=whatsapp%3A%2B14155238886&NumMedia=0&ProfileName=Zo%C3%AB&WaId=61412345678\
         &Latitude=-33.86&Longitude=151.2&Label=Home"
    ));
    assert_eq!((message.channel, message.from.as_str()), (Channel::Whatsapp, "+61412345678"));
    assert_eq!(message.profile_name.as_deref(), Some("Zoë"));
    assert_eq!(message.button_payload.as_deref(), Some("yes"));
    assert_eq!(
        message.location.map(|place| (place.latitude, place.label)),
        Some(("-33.86".into(), Some("Home".into())))
    );
}

#[test]
fn status_callbacks() {
    let callback = status_of(&format!(
        "MessageSid={SID}&SmsSid={SID}&MessageStatus=undelivered&SmsStatus=undelivered&ErrorCode=30003&AccountSid=AC1\
         &From=%2B61400000001&To=%2B61412345678&RawDlrDoneDate=2607291045&ApiVersion=2010-04-01"
    ));
    assert_eq!((callback.status, callback.error_code), (ProviderStatus::Undelivered, Some(30003)));
    assert_eq!(callback.to.as_deref(), Some("+61412345678"));
    assert_eq!(callback.carrier_receipt.as_deref(), Some("2607291045"));
    let bare = status_of(&format!("MessageSid={SID}&MessageStatus=read&ErrorCode="));
    assert_eq!((bare.status, bare.error_code, bare.from), (ProviderStatus::Read, None, None));
    let whatsapp = status_of(&format!("MessageSid={SID}&MessageStatus=sent&To=whatsapp%3A%2B61412345678"));
    assert_eq!((whatsapp.channel, whatsapp.to.as_deref()), (Channel::Whatsapp, Some("+61412345678")));
}

#[test]
fn nonsense_is_named() {
    assert_eq!(parsed(""), Err(WebhookError::Neither));
    assert_eq!(parsed("MessageStatus=sent"), Err(WebhookError::Missing("MessageSid")));
    assert_eq!(parsed("MessageStatus=sent&MessageSid=SM1"), Err(WebhookError::InvalidSid));
    assert_eq!(
        parsed(&format!("MessageStatus=beamed&MessageSid={SID}")),
        Err(WebhookError::Status(UnknownStatus))
    );
    assert_eq!(parsed(&format!("Body=hi&MessageSid={SID}&To=1")), Err(WebhookError::Missing("From")));
    assert_eq!(parsed(&format!("Body=hi&MessageSid={SID}&To=1&From=rcs:2")), Err(WebhookError::Channel));
}

const NAMES: &[&str] = &[
    "MessageSid",
    "SmsSid",
    "MessageStatus",
    "SmsStatus",
    "From",
    "To",
    "Body",
    "NumMedia",
    "MediaUrl0",
    "ErrorCode",
    "OptOutType",
    "Latitude",
];

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        _ = parse(&parse_form(&bytes));
    }

    #[test]
    fn arbitrary_values_of_known_names_never_panic(
        pairs in proptest::collection::vec(
            (proptest::sample::select(NAMES).prop_map(str::to_owned), "(SM[0-9a-f]{32}|received|sent|whatsapp:|[0-9]{1,12}|.{0,20})"),
            0..16,
        ),
    ) {
        _ = parse(&pairs);
    }

    #[test]
    fn a_body_survives_the_form(body in ".{0,200}") {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("MessageSid", SID), ("From", "+61412345678"), ("To", "+61400000001"), ("Body", &body)])
            .finish();
        prop_assert_eq!(inbound_of(&form).body, body);
    }
}
