//! The people of the demo.

/// A member of the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Rosa,
    Sam,
    Kim,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rosa => "Rosa Marín",
            Self::Sam => "Sam Ortiz",
            Self::Kim => "Kim Park",
        }
    }

    pub fn email(self) -> &'static str {
        match self {
            Self::Rosa => super::OWNER,
            Self::Sam => "sam@brightside.example",
            Self::Kim => "kim@brightside.example",
        }
    }
}

/// A contact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    /// Empty when only the number is known.
    pub first: &'static str,
    pub last: &'static str,
    /// E.164, or empty.
    pub phone: &'static str,
    pub email: &'static str,
    /// Where the number's geography does not tell.
    pub zone: &'static str,
    pub stage: &'static str,
    pub source: &'static str,
    pub labels: &'static [&'static str],
    /// `key=value` pairs of custom fields.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether the box on the form was ticked.
    pub agreed: bool,
    pub days_ago: i64,
}

const fn person(first: &'static str, last: &'static str, phone: &'static str) -> Person {
    Person {
        first,
        last,
        phone,
        email: "",
        zone: "",
        stage: "New",
        source: "Website form",
        labels: &[],
        fields: &[],
        agreed: false,
        days_ago: 2,
    }
}

/// The stage, source and age of a contact.
macro_rules! people {
    ($($first:literal $last:literal $phone:literal { $($field:ident: $value:expr),* $(,)? })*) => {
        &[$(Person { $($field: $value,)* ..person($first, $last, $phone) }),*]
    };
}

/// Those of the conversations on screen come first; the rest is history.
pub(super) const PEOPLE: &[Person] = people! {
    "Dana" "Whitfield" "+61491570156" { email: "dana.w@example.com", zone: "Australia/Perth", stage: "Quoted", source: "Website form, google / cpc", labels: &["water heater", "gas", "garage"], fields: &[("suburb", "Fremantle"), ("tank", "Rheem, 40 gal, 2009"), ("property", "House")], agreed: true, days_ago: 2 }
    "Marcus" "Oyelaran" "+13125550118" { email: "marcus@example.com", stage: "Quoted", source: "Referral", labels: &["bathroom"], fields: &[("suburb", "Logan Square"), ("property", "Apartment")], agreed: true, days_ago: 6 }
    "Lucía" "Fernández" "+13055550137" { stage: "Contacted", source: "WhatsApp", labels: &["drain"], fields: &[("language", "Spanish")], days_ago: 1 }
    "Priya" "Raman" "+17735550162" { email: "priya.raman@example.com", stage: "Won", source: "Website form", labels: &["water heater", "repeat customer"], fields: &[("suburb", "Evanston"), ("property", "House")], agreed: true, days_ago: 58 }
    "" "" "+61491570006" { zone: "Australia/Perth", source: "Text message", days_ago: 0 }
    "Tom" "Brandvold" "+16305550147" { email: "tom.b@example.com", stage: "Lost", source: "Yard sign", labels: &["estimate only"], agreed: true, days_ago: 21 }
    "Ines" "Carvalho" "+12125550174" { stage: "Contacted", source: "WhatsApp", labels: &["kitchen"], days_ago: 4 }
    "Gregor" "Lindqvist" "+13125550193" { email: "office@gregorandsons.example", stage: "Won", source: "Referral", labels: &["commercial", "repeat customer"], fields: &[("company", "Gregor & Sons"), ("property", "Commercial")], agreed: true, days_ago: 55 }
    "Ahmed" "Saleh" "+13035550125" { email: "ahmed.saleh@example.com", stage: "Won", source: "Website form", labels: &["drain"], fields: &[("suburb", "Denver"), ("property", "House")], agreed: true, days_ago: 9 }
    "Noor" "Haddad" "+12065550151" { stage: "Won", source: "Referral", labels: &["bathroom"], agreed: true, days_ago: 12 }
    "Wes" "Calloway" "+15125550109" { email: "wes@example.com", stage: "Quoted", source: "Website form", labels: &["re-pipe"], fields: &[("suburb", "Austin")], agreed: true, days_ago: 30 }
    "Hana" "Sato" "+14155550182" { email: "hana.sato@example.com", stage: "Won", source: "Google Business", labels: &["water heater"], fields: &[("suburb", "Noe Valley"), ("property", "House")], agreed: true, days_ago: 7 }
    "Bea" "Kowalczyk" "+17735550103" { stage: "Contacted", source: "Yard sign", labels: &["sump pump"], days_ago: 5 }
    "Carl" "Jensen" "+16025550166" { stage: "Contacted", source: "Home show", labels: &["estimate only"], agreed: true, days_ago: 24 }
    "Olivia" "Grant" "+61491570157" { zone: "Australia/Sydney", stage: "Quoted", source: "Website form, google / cpc", labels: &["gas"], fields: &[("suburb", "Marrickville")], agreed: true, days_ago: 3 }
    "Devon" "Pierce" "+13125550131" { email: "devon@example.com", stage: "Won", source: "Referral", labels: &["bathroom", "repeat customer"], fields: &[("suburb", "Pilsen")], agreed: true, days_ago: 44 }
    "Amara" "Nwosu" "+13125550155" { email: "amara@example.com", stage: "Contacted", source: "Google Business", labels: &["drain"], agreed: true, days_ago: 10 }
    "Felix" "Brandt" "+17735550119" { email: "felix.brandt@example.com", stage: "Quoted", source: "Website form", labels: &["kitchen"], agreed: true, days_ago: 15 }
    "Joy" "Nakamura" "+16305550128" { email: "joy.n@example.com", stage: "Won", source: "Website form", labels: &["water heater"], fields: &[("tank", "Bradford White, 2012")], agreed: true, days_ago: 38 }
    "Luis" "Ortega" "+13125550161" { stage: "Lost", source: "Yard sign", labels: &["estimate only"], days_ago: 47 }
    "Grace" "Adeyemi" "+13125550184" { email: "grace@example.com", stage: "Won", source: "Referral", labels: &["emergency"], agreed: true, days_ago: 51 }
    "Owen" "Hughes" "+17735550136" { email: "owen.hughes@example.com", stage: "Contacted", source: "Website form", agreed: true, days_ago: 11 }
    "Sofia" "Rossi" "+12125550139" { email: "sofia.rossi@example.com", stage: "Won", source: "Google Business", labels: &["bathroom"], agreed: true, days_ago: 33 }
    "Ibrahim" "Diallo" "+13125550177" { stage: "Quoted", source: "Home show", labels: &["re-pipe"], agreed: true, days_ago: 18 }
    "Chloe" "Martin" "+16305550112" { email: "chloe.m@example.com", stage: "Won", source: "Website form", labels: &["water heater", "gas"], agreed: true, days_ago: 29 }
    "Nikhil" "Shah" "+17735550188" { email: "nikhil@example.com", stage: "Contacted", source: "Website form, google / cpc", labels: &["sump pump"], agreed: true, days_ago: 8 }
    "Ruth" "Abrams" "+13125550106" { email: "ruth.abrams@example.com", stage: "Won", source: "Referral", labels: &["repeat customer"], fields: &[("property", "House")], agreed: true, days_ago: 57 }
    "Tariq" "Aziz" "+13125550143" { stage: "Lost", source: "Home show", days_ago: 41 }
    "Elena" "Petrova" "+17735550170" { email: "elena.p@example.com", stage: "Won", source: "Google Business", labels: &["drain", "emergency"], agreed: true, days_ago: 26 }
    "Jonah" "Klein" "+13125550190" { email: "jonah@example.com", stage: "New", source: "Website form", labels: &["kitchen"], agreed: true, days_ago: 1 }
    "Mei" "Tan" "+61491570158" { zone: "Australia/Melbourne", stage: "New", source: "Website form", agreed: true, days_ago: 1 }
    "Patrick" "Doyle" "+13125550122" { email: "pdoyle@example.com", stage: "Quoted", source: "Referral", labels: &["commercial"], fields: &[("company", "Doyle's Pub"), ("property", "Commercial")], agreed: true, days_ago: 14 }
    "Yara" "Haidari" "+16305550153" { stage: "New", source: "Google Business", labels: &["drain"], days_ago: 2 }
    "Simon" "Beck" "+17735550145" { email: "simon.beck@example.com", stage: "Won", source: "Website form", labels: &["bathroom"], agreed: true, days_ago: 49 }
    "Zuri" "Okafor" "+13125550168" { email: "zuri@example.com", stage: "Contacted", source: "Website form, google / cpc", agreed: true, days_ago: 5 }
    "Henrik" "Dahl" "+16025550134" { email: "henrik@example.com", stage: "Won", source: "Referral", labels: &["gas"], agreed: true, days_ago: 36 }
    "Camila" "Reyes" "+13055550115" { stage: "New", source: "WhatsApp", fields: &[("language", "Spanish")], days_ago: 3 }
    "Ava" "Thompson" "+17735550157" { email: "ava.t@example.com", stage: "Won", source: "Yard sign", labels: &["sump pump"], agreed: true, days_ago: 53 }
    "Kofi" "Mensah" "+13125550179" { email: "kofi@example.com", stage: "Quoted", source: "Google Business", labels: &["water heater"], agreed: true, days_ago: 13 }
    "Lena" "Fischer" "+61491570159" { zone: "Australia/Brisbane", stage: "New", source: "Website form", agreed: true, days_ago: 2 }
};

/// How many of [`PEOPLE`] have a scene of their own.
pub(super) const ON_STAGE: usize = 15;
