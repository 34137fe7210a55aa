use super::*;
use proptest::prelude::*;
use serde_json::json;

fn context() -> Json {
    json!({
        "first_name": "Sam", "last_name": "O'Neil", "email": "", "phone": "+61412345678",
        "business_name": "Acme", "short_url": "https://x.example/q/1", "total": "1,284.00",
        "currency": "AUD", "timezone": "Australia/Sydney",
        "lead": {"properties": {"suburb": "Perth", "rooms": 3, "vip": true, "blank": "  ", "nothing": null, "price": 450.5}},
        "quote": {
            "number": "Q-17", "total_cents": 128_400, "sent_at": "2026-03-01T22:30:00Z", "due_on": "2026-03-15",
            "data": {"suburb": "Fremantle", "colour": "blue", "items": [{"name": "Door", "qty": 2}, {"name": "Lock", "qty": 1}],
                     "tags": ["new", "urgent"], "area": 12.0},
        },
    })
}

fn text(source: &str) -> Result<String, RenderError> {
    render(source, &context()).map(|rendered| rendered.text)
}

#[test]
fn values_and_filters() {
    let cases = [
        (
            "Hi {{first_name}}, your quote is ${{total}}: {{short_url}}",
            "Hi Sam, your quote is $1,284.00: https://x.example/q/1",
        ),
        ("  {{ full_name }} \n", "Sam O'Neil"),
        ("{{suburb}} {{ lead.properties.suburb }} {{properties.suburb}}", "Perth Perth Perth"),
        ("{{ quote.data.suburb }} {{data.suburb}} {{colour}}", "Fremantle Fremantle blue"),
        ("{{ quote.number }} {{ number }}", "Q-17 Q-17"),
        ("{{ rooms }} rooms, {{ area }} m2, {{ vip }}", "3 rooms, 12 m2, yes"),
        ("{{ items[0].name }} {{ items.1.qty }} {{ quote['number'] }}", "Door 1 Q-17"),
        ("{{ email | default('there') }}", "there"),
        ("{{ nobody.knows.this | default(\"there\") }}", "there"),
        ("{{ blank | default(nothing) | default(first_name) }}", "Sam"),
        ("{{ blank | upper | trim | default('x') }}", "x"),
        (
            "{{ first_name | upper }} {{ 'the door' | title }} {{ 'hELLO' | capitalize }} {{ 'A' | lower }}",
            "SAM The Door Hello a",
        ),
        ("{{ 'mary-jane o' | title }}", "Mary-Jane O"),
        (
            "{{ short_url | truncate(12) }}|{{ 'abc' | truncate(2, '') }}|{{ 'abc' | truncate(0) }}",
            "https://x...|ab|...",
        ),
        ("{{ price | round }} {{ price | round(2) }} {{ '2.5' | round }}", "451 450.50 3"),
        (
            "{{ quote.sent_at | date }}; {{ quote.due_on | date('%d/%m') }}; {{ quote.sent_at | date('%H:%M') }}",
            "2 March 2026; 15/03; 09:30",
        ),
        (
            "{{ quote.total_cents | cents }} {{ price | money }} {{ total | money }} {{ 5 | money('USD') }}",
            "$1,284.00 $450.50 $1,284.00 $5.00",
        ),
        (
            "{{ tags | join }}; {{ tags | join('/') }}; {{ tags | first }} {{ tags | last }} {{ first_name | first }}",
            "new, urgent; new/urgent; new urgent S",
        ),
        ("{{ tags | length }} {{ first_name | length }} {{ first_name | replace('a', 'i') }}", "2 3 Sim"),
        (
            "{% for item in items %}{{ item.qty }}x {{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "2x Door, 1x Lock",
        ),
        ("{% if vip and rooms > 2 %}big{% elif rooms == 1 %}one{% else %}small{% endif %}", "big"),
        ("{% if email %}{{ email }}{% else %}no e-mail{% endif %}", "no e-mail"),
        ("{% if email is defined %}a{% endif %}{% if email is not defined %}b{% endif %}", "b"),
        ("{{ 'VIP' if vip else 'guest' }} {{ nickname or first_name }}", "VIP Sam"),
        ("a{# not sent #}b {{- ' c ' -}} d", "ab c d"),
        ("{% for item in absent %}x{% endfor %}none", "none"),
        ("{name} {{'{{'}} }} 100%", "{name} {{ }} 100%"),
        ("<b>{{ last_name }}</b> & co", "<b>O'Neil</b> & co"),
    ];
    for (source, expected) in cases {
        assert_eq!(text(source).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn a_hole_is_never_sent() {
    let cases = [
        ("Hi {{ nickname }}", "nickname"),
        ("Hi {{ email }}", "email"),
        ("Hi {{ blank | upper }}", "blank"),
        ("Hi {{first_name}} {{ nothing }} {{ email }}", "nothing"),
        ("Hi {{ lead.properties.age }}", "lead.properties.age"),
        ("Hi {{ a.b.c }}", "a.b.c"),
        ("Hi {{ items[7].name }}", "items[7].name"),
        ("Hi {{ nickname | default }}", "nickname"),
        ("Hi {{ first_name if email }}", "email"),
        ("{% for item in items %}{{ item.name }} {{ item.colour }}{% endfor %}", "item.colour"),
        ("line\n{{ first_name | replace(nickname, 'x') | truncate(3) }}{{ email | date }}", "email"),
    ];
    for (source, token) in cases {
        let source = source.replace("replace(nickname, 'x')", "trim");
        assert_eq!(text(&source), Err(RenderError::Missing { token: token.to_owned() }), "{source}");
    }
    let nobody = render("Hi {{ full_name }}", &json!({"first_name": " ", "last_name": null}));
    assert_eq!(nobody, Err(RenderError::Missing { token: "full_name".to_owned() }));
    assert_eq!(render("Hi {{ x }}", &Json::Null), Err(RenderError::Missing { token: "x".to_owned() }));
}

#[test]
fn values_that_do_not_fit_are_named() {
    let cases = [
        ("{{ items }}", "items", "a sequence is not a text; name one of its parts"),
        ("{{ lead.properties }}", "lead.properties", "a map is not a text; name one of its parts"),
        ("{{ suburb | date }}", "suburb", "this is not a date"),
        ("{{ quote.due_on | date('%Q') }}", "quote.due_on", "\"%Q\" is not a date format"),
        (
            "{{ quote.due_on | date('%H:%M') }}",
            "quote.due_on",
            "\"%H:%M\" asks for more than this date tells",
        ),
        ("{{ suburb | money }}", "suburb", "this is not an amount of money"),
        ("{{ price | cents }}", "price", "this is not a whole number of cents"),
        ("{{ suburb | round }}", "suburb", "this is not a number"),
        ("{{ suburb | join }}", "suburb", "this is not a list"),
    ];
    for (source, token, message) in cases {
        let expected = RenderError::Invalid { token: token.to_owned(), message: message.to_owned() };
        assert_eq!(text(source), Err(expected), "{source}");
    }
}

#[test]
fn templates_cannot_do_harm() {
    let long = |source: &str| render(source, &json!({"x": "a".repeat(5_000), "many": vec![json!(0); 3_000]}));
    assert_eq!(long("{{ x }}"), Err(RenderError::TooLong));
    assert_eq!(long("{{ x | upper }}{{ x }}"), Err(RenderError::TooLong));
    assert_eq!(
        long("{% for a in many %}{% for b in many %}.{% endfor %}{% endfor %}"),
        Err(RenderError::TooComplex)
    );
    assert_eq!(long("{% for a in many %}{{ x }}{% endfor %}"), Err(RenderError::TooLong));
    let bomb = format!("{{{{ 'a'{} }}}}", " | replace('a', 'aaaaaaaaaaaaaaaaaaaa')".repeat(30));
    assert!(
        matches!(long(&bomb), Err(RenderError::Invalid { .. } | RenderError::TooLong)),
        "{:?}",
        long(&bomb)
    );
    assert_eq!(long("{% if none %}x{% endif %} "), Err(RenderError::Empty));
    assert_eq!(text(&"a".repeat(1_600)).map(|text| text.len()), Ok(1_600));
    assert_eq!(text(&"a".repeat(1_601)), Err(RenderError::TooLong));
    assert_eq!(
        render("{{ x }}", &json!({"x": "{{ secret }} {% set a = 1 %}"})).unwrap().text,
        "{{ secret }} {% set a = 1 %}"
    );
}

#[test]
fn the_rest_of_the_language_is_refused_with_its_place() {
    let cases = [
        ("Hi {{ first_name", 1, 4, "This {{ is never closed", Some("{{")),
        ("Hi\n  {{ first_name | shout }}", 2, 19, "There is no filter \"shout\"", Some("shout")),
        ("{{ 'x' * 1000 }}", 1, 8, "`*` cannot be used between braces", Some("*")),
        ("{{ a ~ b }}", 1, 6, "`~` cannot be used between braces", Some("~")),
        ("{{ range(10) }}", 1, 4, "\"range\" cannot be called", Some("range")),
        ("{{ first_name.upper() }}", 1, 4, "\"first_name.upper\" cannot be called", Some("first_name.upper")),
        ("{% set x = 1 %}", 1, 4, "{% set %} cannot be used in a message", Some("set")),
        ("{% include 'x' %}", 1, 4, "{% include %} cannot be used in a message", Some("include")),
        ("{% macro a() %}{% endmacro %}", 1, 4, "{% macro %} cannot be used in a message", Some("macro")),
        ("{% %}", 1, 1, "This tag does nothing", Some("{%")),
        ("{{ 'abc }}", 1, 4, "This quotation is never closed", Some("'")),
        ("{{ [1] }}", 1, 4, "`[` does not follow a name", Some("[")),
        ("{{ x is odd }}", 1, 9, "There is no test \"odd\"", Some("odd")),
        ("{{ größe }}", 1, 6, "`ö` cannot be used between braces", Some("ö")),
        ("{{ x | default(value='y') }}", 1, 21, "`=` cannot be used between braces", Some("=")),
        ("{{ x[y] }}", 1, 5, "Brackets hold a number or a quoted name", Some("[")),
        ("é {# never", 1, 3, "This comment is never closed", None),
    ];
    for (source, line, column, message, token) in cases {
        let token = token.map(str::to_owned);
        let expected = TemplateError { message: message.to_owned(), line, column, token };
        assert_eq!(compile(source).map(|_| ()), Err(expected), "{source}");
    }
    for broken in [
        "{% if x %}",
        "{{ }}",
        "{{ x | }}",
        "{% endif %}",
        "{% for x in %}{% endfor %}",
        "{{ x y }}",
        "{% for a, b in c %}{% endfor %}",
    ] {
        let error = compile(broken).err().unwrap_or_else(|| panic!("{broken} is let through"));
        assert!(error.line == 1 && !error.message.is_empty(), "{broken}: {error}");
    }
    assert!(compile(&"a".repeat(20_000)).is_err());
}

#[test]
fn names_are_listed_once() {
    let source = "Hi {{ first_name }} {{ quote.number | default(email) }}{% for i in items %}{{ i.a }}{{ loop.index }}{% endfor %}{{first_name}}";
    assert_eq!(tokens(source), ["first_name", "quote.number", "email", "items"]);
    assert_eq!(tokens("{{ a }} {{ b | nope }} {{ c }}"), ["a", "b"]);
    assert_eq!(tokens("plain"), Vec::<String>::new());
    assert_eq!(compile(source).unwrap().source(), source);
}

#[test]
fn saving_tells_what_can_never_have_a_value() {
    let check = |source| check(source, &["suburb", "rooms"]);
    let problem = |message: &str, token: &str, line, column| Problem {
        message: message.to_owned(),
        token: Some(token.to_owned()),
        line,
        column,
    };
    assert_eq!(
        check("Hi {{ first_name }} in {{ suburb }}: {{ quote.data.anything }} {{ properties.x }}"),
        []
    );
    assert_eq!(
        check("Hi {{ frist_name }},\n{{ shoe_size | default('x') }}"),
        [
            problem("There is no field \"frist_name\"; did you mean \"first_name\"?", "frist_name", 1, 7),
            problem("There is no field \"shoe_size\"", "shoe_size", 2, 4),
        ]
    );
    assert_eq!(
        check("Hi {first_name}"),
        [problem("{first_name} would be sent as it stands; write {{first_name}}", "first_name", 1, 4)]
    );
    assert_eq!(check("Set {1, 2} and {anything}"), []);
    assert_eq!(check("{{ x"), [problem("This {{ is never closed", "{{", 1, 1)]);
}

proptest! {
    #[test]
    fn anything_may_be_saved_and_rendered(source in any::<String>(), value in any::<String>()) {
        let _ = (check(&source, &[]), tokens(&source), render(&source, &json!({"x": value})));
    }

    #[test]
    fn anything_like_a_template_may_be_saved(source in "([{}%#|.()\\[\\]'\" -]|x|if|for|in|endif|endfor|loop|default|date|first|é|\n|[0-9]|%){0,40}") {
        let context = json!({"x": [{"x": "2026-01-01"}, 1, null]});
        let _ = (check(&source, &["x"]), tokens(&source), render(&source, &context));
    }

    #[test]
    fn values_come_out_as_they_went_in(value in "[^\\s]{1,200}") {
        let rendered = render("{{ x }}", &json!({"x": value})).unwrap();
        prop_assert_eq!(rendered.text, value);
    }

    #[test]
    fn filters_bear_anything(value in any::<String>(), argument in any::<String>(), number in any::<u32>(), float in any::<f64>()) {
        let context = json!({"x": value, "a": argument, "n": number, "f": float, "l": [value, number]});
        for filter in FILTERS {
            for source in [
                format!("{{{{ x | {filter} }}}}"), format!("{{{{ x | {filter}(a) }}}}"), format!("{{{{ x | {filter}(a, a) }}}}"),
                format!("{{{{ x | {filter}(n) }}}}"), format!("{{{{ f | {filter}(n) }}}}"), format!("{{{{ l | {filter}(n, a) }}}}"),
                format!("{{{{ f | {filter} }}}}"), format!("{{{{ l | {filter} }}}}"),
            ] {
                let _ = render(&source, &context);
            }
        }
    }
}
