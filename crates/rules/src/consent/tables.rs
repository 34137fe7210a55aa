//! The words. All of them in plain spelling: lower case, without accents, apostrophes or hyphens.

/// Words that opt out as a whole message: the union of what the FCC lists and carriers and providers
/// act on, in English and Canadian French, and the payloads of buttons under WhatsApp templates.
pub(super) const OPT_OUT: &[&str] = &[
    "stop",
    "stop all",
    "unsubscribe",
    "unsub",
    "cancel",
    "end",
    "quit",
    "revoke",
    "opt out",
    "remove",
    "remove me",
    "arret",
    "arrete",
    "td",
    "stop promotion",
    "stop promotions",
    "stop marketing",
];

/// Opt-outs that can hardly mean anything else, also with something typed beside them by mistake. The others may well
/// ("Cancel 2", "End it here").
pub(super) const UNMISTAKABLE: &[&str] = &["stop", "stop all", "unsubscribe", "unsub", "opt out"];

/// Words that add nothing to those.
pub(super) const FILLERS: &[&str] = &["it", "that", "already", "just", "everything"];

/// How the line begins that telephones and mail programs put under a message, in lower case.
pub(super) const SIGNATURES: &[&str] =
    &["sent from", "sent via", "sent with", "get outlook for", "envoyé de", "enviado desde", "--"];

/// Words that ask for help as a whole message.
pub(super) const HELP: &[&str] = &["help", "info", "aide"];

/// Words that opt in as a whole message.
pub(super) const OPT_IN: &[&str] = &["start", "unstop"];

/// Words that opt in only if that was asked; otherwise they answer some other question.
pub(super) const OPT_IN_IF_ASKED: &[&str] = &["yes"];

/// Words around a keyword that change nothing about it.
pub(super) const COURTESIES: &[&str] = &[
    "please",
    "pls",
    "plz",
    "thanks",
    "ok",
    "hi",
    "now",
    "me",
    "this",
    "text",
    "texts",
    "message",
    "messages",
    "texting",
    "sending",
    "immediately",
];

/// Two words that are one courtesy.
pub(super) const THANK_YOU: [&str; 2] = ["thank", "you"];

/// Words with which a sentence refuses something.
pub(super) const NEGATIONS: &[&[&str]] =
    &[&["dont"], &["do", "not"], &["never"], &["wont"], &["didnt"], &["did", "not"]];

/// What is refused in "stop …" and "do not …": the beginnings of words.
pub(super) const CONTACTING: &[&str] = &["text", "contact", "messag", "msg", "send", "call"];

/// Words that may stand between a refusal and what is refused.
pub(super) const DETERMINERS: &[&str] = &["me", "us", "all", "any", "these", "those", "the", "your", "with"];

/// Other ways of asking to be left alone.
pub(super) const PHRASES: &[&[&str]] = &[
    &["take", "me", "off"],
    &["remove", "me"],
    &["remove", "my", "number"],
    &["no", "more", "text"],
    &["no", "more", "texts"],
    &["no", "more", "message"],
    &["no", "more", "messages"],
    &["leave", "me", "alone"],
    &["wrong", "number"],
    &["lose", "my", "number"],
    &["not", "interested"],
    &["no", "mas"],
    &["unsubscribe"],
    &["opt", "out"],
    &["opt", "me", "out"],
    &["opt", "us", "out"],
];

/// Keywords worth a human's look when they stand within a sentence.
pub(super) const MENTIONS: &[&str] = &[
    "stop",
    "stopall",
    "unsubscribe",
    "unsub",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "remove",
    "arret",
    "arrete",
];
