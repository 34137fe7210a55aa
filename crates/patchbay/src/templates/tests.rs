use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::tests::{Browser, Office, TestApp};

/// A contact with properties and a quote, by plain SQL.
async fn dana(test: &TestApp, office: &Office) -> (Uuid, Uuid) {
    let contact = office.contact(test, "Dana", Some("+61491570006")).await;
    let mut sql = test.sql().await;
    sqlx::query("update patchbay.contacts set properties = '{\"suburb\": \"Fremantle\", \"job\": {\"type\": \"heater\"}, \"blank\": \" \"}' where id = $1")
        .bind(contact).execute(&mut sql).await.unwrap();
    let quote = sqlx::query_scalar("insert into api.quotes (tenant_id, lead_id, data, total_cents, currency) values ($1, $2, '{\"service\": \"Hot water\", \"visit\": {\"day\": \"2026-12-03\"}}', 128400, 'AUD') returning id")
        .bind(office.id).bind(contact).fetch_one(&mut sql).await.unwrap();
    (contact, quote)
}

async fn rendered(
    test: &TestApp,
    office: &Office,
    source: Source<'_>,
    contact: Uuid,
    quote: Option<Uuid>,
) -> RenderedMessage {
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    render(&mut tx, &test.app, source, contact, quote).await.unwrap()
}

/// The same for words that are a template of the tenant now.
async fn typed(
    test: &TestApp,
    office: &Office,
    content: &str,
    contact: Uuid,
    quote: Option<Uuid>,
) -> RenderedMessage {
    let template = "insert into patchbay.templates (tenant_id, key, name, content)
                    values ($1, 'typed_' || (select count(*) from patchbay.templates), 'Typed', $2) returning id";
    let id =
        sqlx::query_scalar(template).bind(office.id).bind(content).fetch_one(&mut test.sql().await).await;
    rendered(test, office, Source::Id(id.unwrap()), contact, quote).await
}

#[tokio::test]
async fn tokens_stand_for_what_they_say() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let (contact, quote) = dana(&test, &office).await;
    let token: String = sqlx::query_scalar("select token from patchbay.quotes")
        .fetch_one(&mut test.sql().await)
        .await
        .unwrap();
    let url = format!("https://crm.example.com/q/{token}");
    let vectors = [
        (
            "Hi {{first_name}}, your quote is ${{total}}: {{short_url}}",
            format!("Hi Dana, your quote is $1,284.00: {url}"),
        ),
        ("{{ total_formatted }} {{currency}}", "$1,284.00 AUD".to_owned()),
        (
            "{{full_name}} of {{lead.properties.suburb}}, {{suburb}}, {{lead.suburb}}, {{properties.suburb}}",
            "Dana Whitfield of Fremantle, Fremantle, Fremantle, Fremantle".to_owned(),
        ),
        ("{{job.type}} {{ lead.properties.job.type | upper }}", "heater HEATER".to_owned()),
        (
            "{{service}}, {{quote.data.service}}, {{data.service}}, {{quote.data.visit.day}}",
            "Hot water, Hot water, Hot water, 2026-12-03".to_owned(),
        ),
        ("Quote {{quote.number}} from {{business_name}}", "Quote 1001 from brightside".to_owned()),
        (
            "Hi {{ nickname | default(\"there\") }} {{ lead.properties.a.b.c | default('-') }}",
            "Hi there -".to_owned(),
        ),
    ];
    for (source, wanted) in vectors {
        let message = typed(&test, &office, source, contact, Some(quote)).await;
        assert_eq!((message.problem, message.body), (None, wanted), "{source}");
    }
    let usual = rendered(&test, &office, Source::Key(QUOTE_SMS), contact, Some(quote)).await;
    assert_eq!(usual.body, format!("Hi Dana, your quote from brightside is $1,284.00: {url}"));
    assert_eq!((usual.segments, usual.encoding.as_str(), usual.template_id), (1, "gsm7", None));
}

#[tokio::test]
async fn a_hole_is_a_problem_and_never_a_text() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let (contact, quote) = dana(&test, &office).await;
    let nameless = office.contact(&test, "", Some("+61491570156")).await;
    for (source, who, what, problem) in [
        ("Hi {{first_name}}", nameless, None, "The template needs {{first_name}}, which is missing."),
        (
            "In {{lead.properties.blank}}",
            contact,
            None,
            "The template needs {{lead.properties.blank}}, which is missing.",
        ),
        ("See {{short_url}}", contact, None, "The template needs {{short_url}}, but there is no quote."),
        (
            "{{quote.data.nothing.here}}",
            contact,
            Some(quote),
            "The template needs {{quote.data.nothing.here}}, which is missing.",
        ),
    ] {
        let message = typed(&test, &office, source, who, what).await;
        assert_eq!(message.problem.as_deref(), Some(problem), "{source}");
        assert_eq!(message.body, source);
    }
    // Somebody else's quote is no quote of this contact.
    let message = typed(&test, &office, "{{total}}", nameless, Some(quote)).await;
    assert!(message.problem.is_some());
    let missing = rendered(&test, &office, Source::Key("no_such"), contact, None).await;
    assert_eq!(missing.problem.as_deref(), Some("There is no template with the key no_such."));
    for default in defaults() {
        assert!(
            check::checked(
                NewTemplate {
                    key: default.key.into(),
                    name: default.name.into(),
                    channel: default.channel,
                    subject: default.subject.map(str::to_owned),
                    content: default.content.into(),
                    content_sid: None,
                    content_variables: None,
                },
                &[]
            )
            .is_ok()
        );
        let message = rendered(&test, &office, Source::Key(default.key), contact, Some(quote)).await;
        assert_eq!(message.problem, None, "{}", default.key);
    }
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    dana(&test, &office).await;
    let save = async |content: &str| {
        test.api(&office.key, "POST", "/api/templates", json!({"key": "hello", "content": content})).await
    };
    for (content, told) in [
        (
            "Hi {{ frist_name }}",
            "Line 1, column 7: There is no field \"frist_name\"; did you mean \"first_name\"?",
        ),
        ("Hi\n {{ first_name", "Line 2"),
        ("{% include 'x' %}", "Line 1"),
        ("", "Write the text"),
        ("   ", "Write the text"),
    ] {
        let problem = save(content).await.expect(422).json();
        let message = problem["errors"]["content"].as_str().unwrap_or_default();
        assert!(message.starts_with(told), "{content}: {problem}");
    }
    assert_eq!(save(&"x".repeat(1_000_000)).await.status.as_u16() / 100, 4);
    // Properties that contacts carry may stand alone, emoji and right-to-left text are text.
    let made = save("😀 مرحبا {{first_name}} from {{suburb}} {{service}}").await.expect(201).json();
    assert_eq!(made["tokens"], json!(["first_name", "suburb", "service"]));
    assert_eq!(
        save("again").await.expect(422).json()["errors"]["key"],
        "The template “hello” has this key already."
    );
}

#[tokio::test]
async fn templates_are_listed_changed_and_put_away() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let new = json!({"name": "Follow up!", "content": "Hi {{ first_name }}", "unknown": 1});
    let made = test.api(&office.key, "POST", "/api/templates", new).await.expect(201).json();
    let path = format!("/api/templates/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["key"], &made["channel"]), (&json!("follow_up"), &json!("sms")));
    for _ in 0..3 {
        let name =
            json!({"name": test.id().to_string(), "key": format!("t{}", test.id().simple()), "content": "x"});
        test.api(&office.key, "POST", "/api/templates", name).await.expect(201);
    }
    let first = test.get(&office.key, "/api/templates?limit=3").await.expect(200).json();
    assert_eq!(first["data"].as_array().unwrap().len(), 3);
    let second = test
        .get(
            &office.key,
            &format!("/api/templates?limit=3&cursor={}", first["next_cursor"].as_str().unwrap()),
        )
        .await
        .json();
    assert_eq!((second["data"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));

    let changed = test
        .api(&office.key, "PATCH", &path, json!({"content": "Hello {{ last_name }}"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["name"], &changed["content"]),
        (&json!("Follow up!"), &json!("Hello {{ last_name }}"))
    );
    test.api(&office.key, "PATCH", &path, json!({"channel": "email"})).await.expect(422);
    test.api(&office.key, "PATCH", &path, json!({"channel": "email", "subject": "S"})).await.expect(200);
    for (key, method, wanted) in [
        (&other.key, "GET", 404),
        (&other.key, "PATCH", 404),
        (&other.key, "DELETE", 404),
        (&office.reader, "PATCH", 403),
        (&office.reader, "DELETE", 403),
    ] {
        let body = if method == "PATCH" { json!({"name": "Mine"}) } else { Value::Null };
        test.api(key, method, &path, body).await.expect(wanted);
    }
    test.api(&office.key, "DELETE", &path, Value::Null).await.expect(204);
    test.api(&office.key, "DELETE", &path, Value::Null).await.expect(404);
    test.api(&office.key, "POST", "/api/templates", json!({"key": "follow_up", "content": "y"}))
        .await
        .expect(201);
    test.api(&office.key, "POST", &format!("{path}/restore"), json!({})).await.expect(422);
}

#[tokio::test]
async fn two_at_once_get_one_key() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let save = || test.api(&office.key, "POST", "/api/templates", json!({"key": "one", "content": "x"}));
    let (a, b, c) = tokio::join!(save(), save(), save());
    let mut codes = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 422, 422]);
}

#[tokio::test]
async fn a_preview_names_every_hole() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "brightside").await, Office::open(&test, "b").await);
    let (contact, quote) = dana(&test, &office).await;
    let made = test
        .api(
            &office.key,
            "POST",
            "/api/templates",
            json!({"key": "k", "name": "Spr\u{202e}ing", "content": "Hi {{first_name}}, ${{total}}"}),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(made["name"], "Spring", "marks that turn text around are not shown, so not kept");
    let path = format!("/api/templates/{}/preview", made["id"].as_str().unwrap());
    let look = async |body: Value| test.api(&office.reader, "POST", &path, body).await;
    let seen = look(json!({"contact_id": contact, "quote_id": quote})).await.expect(200).json();
    assert_eq!(
        (&seen["text"], &seen["segments"], &seen["encoding"], &seen["units"]),
        (&json!("Hi Dana, $1,284.00"), &json!(1), &json!("gsm7"), &json!(18))
    );
    assert_eq!((&seen["problems"], &seen["example_quote"]), (&json!([]), &json!(false)));
    // Without naming one, the newest quote serves; without any, an example that says so.
    assert_eq!(look(json!({"contact_id": contact})).await.json()["example_quote"], false);
    assert_eq!(look(json!({})).await.json()["text"], "Hi Dana, $1,284.00");
    assert_eq!(look(json!({})).await.json()["example_quote"], true);
    let holes = look(
        json!({"contact_id": contact, "content": "{{nickname}} {{lead.properties.nix}} {{first_name}} 😀"}),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(holes["text"], "[nickname] [lead.properties.nix] Dana 😀");
    assert_eq!(holes["encoding"], "ucs2");
    let told: Vec<_> = holes["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["token"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["nickname", "lead.properties.nix"]);
    assert_eq!(holes["problems"][0]["line"], 1);
    for tags in ["{{a}}".repeat(150_000), "{% if 1 %}".repeat(45_000), "x".repeat(5_001)] {
        let problem = look(json!({"content": tags})).await.expect(422).json();
        assert_eq!(problem["errors"]["content"], "The text may have 5000 characters at most.");
    }
    let problem = look(json!({"content": "x", "subject": "y".repeat(201)})).await.expect(422).json();
    assert!(problem["errors"]["subject"].is_string());
    look(json!({"contact_id": contact, "quote_id": test.id()})).await.expect(404);
    look(json!({"contact_id": test.id()})).await.expect(404);
    test.api(&other.key, "POST", &path, json!({"contact_id": contact})).await.expect(404);
    test.api(&other.key, "POST", "/api/templates/preview", json!({"content": "x", "contact_id": contact}))
        .await
        .expect(404);
}

#[tokio::test]
async fn an_approved_whatsapp_template_is_written_in_the_editor() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let (dana, _) = dana(&test, &office).await;
    let mut browser = Browser::with_session(&test, &office.session);
    let sid = "HX0f3d1c2b4a5968778695a4b3c2d1e0f9";
    let form = |sid: &'static str, second: &'static str| {
        [
            ("name", "Sale"),
            ("channel", "whatsapp"),
            ("content", "Hi {{1}}, our sale begins at {{ 2 }}."),
            ("content_sid", sid),
            ("placeholder", "1"),
            ("variable", "{{ first_name }}"),
            ("placeholder", "2"),
            ("variable", second),
        ]
    };
    // Every mistake is told at its field, and what was typed stays.
    let wrong = browser.post("/templates", &form("HX12", "{{ bussiness_name }}")).await.expect(422).text;
    for told in ["The id is HX and 32", "did you mean", "{{ first_name }}", "HX12", "{{ bussiness_name }}"] {
        assert!(wrong.contains(&told.replace('"', "&#34;")), "{told}: {wrong}");
    }
    let wrong = browser.post("/templates", &form(sid, " ")).await.expect(422).text;
    assert!(wrong.contains("Say what stands for {{2}}"), "{wrong}");
    // Nothing else has numbers, and an SMS with {{1}} would say "1".
    let body = json!({"name": "x", "content": "Hi {{1}}"});
    let refused = test.api(&office.key, "POST", "/api/templates", body).await.expect(422).json();
    assert!(refused["errors"]["content"].as_str().unwrap().contains("WhatsApp"), "{refused}");

    browser.post("/templates", &form(sid, "{{ business_name }}")).await.expect(303);
    let saved = test.get(&office.reader, "/api/templates?channel=whatsapp").await.expect(200).json();
    let saved = &saved["data"][0];
    assert_eq!(saved["content_sid"], sid);
    assert_eq!(saved["content_variables"], json!({"1": "{{ first_name }}", "2": "{{ business_name }}"}));
    assert_eq!(saved["tokens"], json!(["first_name", "business_name"]));
    // Both pages of it look as the message will.
    let path = format!("/templates/{}", saved["id"].as_str().unwrap());
    let page = browser.get(&path).await.expect(200).text;
    assert!(page.contains(sid) && page.contains("{{2}} stands for"), "{page}");
    let dana = dana.to_string();
    let mut shown = form(sid, "{{ business_name }}").to_vec();
    shown.push(("contact_id", &dana));
    let preview = browser.post("/templates/preview", &shown).await.expect(200).text;
    assert!(preview.contains("Hi Dana, our sale begins at brightside."), "{preview}");
    let preview = json!({"contact_id": dana});
    let preview =
        test.api(&office.reader, "POST", &format!("/api{path}/preview"), preview).await.expect(200).json();
    assert_eq!(
        (&preview["text"], &preview["problems"]),
        (&json!("Hi Dana, our sale begins at brightside."), &json!([]))
    );
    // A third number wants a meaning at once; the first two keep theirs.
    let mut more = form(sid, "{{ business_name }}").to_vec();
    more[2] = ("content", "{{1}} {{2}} {{3}}");
    let rows = browser.post("/templates/variables", &more).await.expect(200).text;
    assert!(rows.contains("{{3}} stands for") && rows.contains("{{ business_name }}"), "{rows}");

    // Another channel has no approved texts.
    browser
        .post(&path, &[("name", "Sale"), ("channel", "sms"), ("content", "Hi"), ("content_sid", sid)])
        .await
        .expect(303);
    let after = test.get(&office.reader, &format!("/api{path}")).await.expect(200).json();
    assert_eq!((&after["content_sid"], &after["content_variables"]), (&Value::Null, &Value::Null));
    test.settle().await;
}
