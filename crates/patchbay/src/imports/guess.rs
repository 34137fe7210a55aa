//! Which field a column probably is, by its heading, by what the tenant chose for that heading before, and by its
//! first values.

use std::collections::{BTreeMap, HashMap, HashSet};

use patchbay_rules::phone;

use super::mapping::Field;
use crate::contacts::custom_fields::CustomField;

/// Words in headings, folded, of several languages and programs. The first field that matches takes the column.
const WORDS: &[(&str, &[&str])] = &[
    (
        "consent.sms",
        &[
            "smsoptin",
            "optin",
            "optedin",
            "smsconsent",
            "consent",
            "smspermission",
            "agreedtosms",
            "marketingconsent",
            "consentsms",
            "smsmarketing",
            "acceptssmsmarketing",
        ],
    ),
    ("consent.whatsapp", &["whatsappoptin", "whatsappconsent", "consentwhatsapp"]),
    ("consent.email", &["emailoptin", "emailconsent", "consentemail", "newsletter", "acceptsemailmarketing"]),
    (
        "consent.at",
        &["consentdate", "optindate", "optedinat", "consentedat", "consentat", "optintime", "optintimestamp"],
    ),
    ("consent.basis", &["consentbasis", "consenttype", "optintype"]),
    ("consent.source", &["consentsource", "optinsource"]),
    ("consent.wording", &["consentwording", "consenttext"]),
    (
        "phone",
        &[
            "phone",
            "mobile",
            "phonenumber",
            "mobilenumber",
            "mobilephone",
            "cell",
            "cellphone",
            "cellnumber",
            "telephone",
            "tel",
            "contactnumber",
            "number",
            "msisdn",
            "sms",
            "smsnumber",
            "primaryphone",
            "phone1value",
            "telefon",
            "handy",
            "telefono",
            "celular",
            "movil",
            "telephoneportable",
            "phonee164",
            "whatsapp",
            "ph",
            "mob",
        ],
    ),
    (
        "email",
        &[
            "email",
            "emailaddress",
            "mail",
            "emailadresse",
            "correo",
            "correoelectronico",
            "courriel",
            "email1value",
            "primaryemail",
            "emailid",
        ],
    ),
    (
        "first_name",
        &[
            "firstname",
            "first",
            "givenname",
            "forename",
            "vorname",
            "nombre",
            "prenom",
            "fname",
            "christianname",
            "preferredname",
        ],
    ),
    (
        "last_name",
        &["lastname", "last", "surname", "familyname", "nachname", "apellido", "apellidos", "nom", "lname"],
    ),
    (
        "name",
        &[
            "name",
            "fullname",
            "contactname",
            "contact",
            "customername",
            "clientname",
            "customer",
            "client",
            "leadname",
            "displayname",
        ],
    ),
    ("postal", &["postcode", "zip", "zipcode", "postalcode", "postal", "plz", "codigopostal", "pc"]),
    ("state", &["state", "province", "region", "bundesland", "stateprovince"]),
    ("country", &["country", "countrycode", "land", "pais", "pays"]),
    ("timezone", &["timezone", "tz"]),
    ("source", &["source", "leadsource", "channel", "origin", "utmsource", "howdidyouhear"]),
    ("status", &["status", "contactstatus"]),
    ("stage", &["stage", "pipelinestage", "leadstage"]),
    (
        "labels",
        &[
            "labels",
            "label",
            "tags",
            "tag",
            "groups",
            "group",
            "groupmembership",
            "segment",
            "segments",
            "category",
            "categories",
        ],
    ),
];

/// Letters and digits of a heading, in lower case and without accents on Latin letters.
pub fn fold(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' => Some('a'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'í' | 'ì' | 'î' | 'ï' => Some('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => Some('o'),
            'ú' | 'ù' | 'û' | 'ü' => Some('u'),
            'ñ' => Some('n'),
            'ç' => Some('c'),
            _ => c.is_alphanumeric().then_some(c),
        })
        .take(100)
        .collect()
}

/// For each heading, the word of its field, or `None`. No field is given twice.
pub fn guess(
    headings: &[String],
    samples: &[Vec<String>],
    remembered: &HashMap<String, String>,
    fields: &[CustomField],
    country: &str,
) -> BTreeMap<String, Option<String>> {
    let mut guessed: Vec<Option<String>> = vec![None; headings.len()];
    let mut taken = HashSet::new();
    let mut give = |guessed: &mut Vec<Option<String>>, place: usize, word: String| {
        if guessed[place].is_none() && (word == "labels" || taken.insert(word.clone())) {
            guessed[place] = Some(word);
        }
    };
    let folded: Vec<String> = headings.iter().map(|heading| fold(heading)).collect();
    let mut settled = vec![false; headings.len()];
    for (place, heading) in folded.iter().enumerate() {
        if let Some(word) = remembered.get(heading) {
            settled[place] = true;
            if Field::parse(word).is_some() {
                give(&mut guessed, place, word.clone());
            }
        }
    }
    let places = || (0..headings.len()).filter(|place| !settled[*place]);
    for place in places() {
        let heading = &folded[place];
        let own = fields.iter().find(|field| fold(&field.key) == *heading || fold(&field.label) == *heading);
        if let Some(field) = own {
            give(&mut guessed, place, format!("properties.{}", field.key));
        } else if let Some((word, _)) = WORDS.iter().find(|(_, words)| words.contains(&heading.as_str())) {
            give(&mut guessed, place, (*word).to_owned());
        }
    }
    // Headings say nothing, or none are there: look at the values.
    for (word, fits) in [("phone", looks_like_phone as fn(&str, &str) -> bool), ("email", looks_like_email)] {
        let best = places()
            .filter(|place| guessed[*place].is_none())
            .map(|place| (place, share(samples, place, |cell| fits(cell, country))))
            .filter(|(_, share)| *share > 60)
            .max_by_key(|(place, share)| (*share, std::cmp::Reverse(*place)));
        if let Some((place, _)) = best {
            give(&mut guessed, place, word.to_owned());
        }
    }
    headings.iter().cloned().zip(guessed).collect()
}

/// How many of a hundred filled cells of the column fit.
fn share(samples: &[Vec<String>], place: usize, fits: impl Fn(&str) -> bool) -> usize {
    let filled: Vec<&str> = samples
        .iter()
        .filter_map(|row| row.get(place))
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty())
        .collect();
    filled.iter().filter(|cell| fits(cell)).count() * 100 / filled.len().max(1)
}

fn looks_like_phone(cell: &str, country: &str) -> bool {
    cell.chars().filter(char::is_ascii_digit).count() >= 8
        && phone::parse(cell, Some(country)).is_ok_and(|phone| phone.valid)
}

fn looks_like_email(cell: &str, _: &str) -> bool {
    crate::contacts::clean::email(cell).is_ok_and(|email| email.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(headings: &[&str], row: &[&str]) -> Vec<Option<String>> {
        let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
        let samples = vec![row.iter().map(|cell| (*cell).to_owned()).collect()];
        let remembered = HashMap::from([("lieblingsfarbe".to_owned(), "properties.colour".to_owned())]);
        let found = guess(&headings, &samples, &remembered, &[], "AU");
        headings.iter().map(|heading| found[heading].clone()).collect()
    }

    #[test]
    fn columns_are_known_by_their_names_or_by_what_is_in_them() {
        let some = |word: &str| Some(word.to_owned());
        assert_eq!(
            guessed(
                &["First Name", "Surname", "Mobile", "E-Mail", "Opted in", "Notes"],
                &["", "", "", "", "", ""]
            ),
            [some("first_name"), some("last_name"), some("phone"), some("email"), some("consent.sms"), None]
        );
        assert_eq!(
            guessed(&["Column A", "Column B", "Column C"], &["Dana", "0412 345 678", "dana@example.com"]),
            [None, some("phone"), some("email")]
        );
        assert_eq!(guessed(&["Phone", "Mobile"], &["", ""]), [some("phone"), None]);
        assert_eq!(
            guessed(&["Lieblingsfarbe", "Téléphone"], &["", ""]),
            [some("properties.colour"), some("phone")]
        );
    }
}
