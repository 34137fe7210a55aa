use std::io::{Cursor, Write};

use proptest::prelude::*;

use super::{sniff::sniff, *};

fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    read_all(bytes, None).map_err(|problem| problem.0)
}

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn encodings_and_delimiters_are_recognised() {
    let text = "Vorname;Mobil\nJörg;0412 345 678\nZoë;0412 345 679\n";
    let wanted = [["Vorname", "Mobil"], ["Jörg", "0412 345 678"], ["Zoë", "0412 345 679"]];
    let windows = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8 with mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ("windows", windows),
        ("utf-16le", utf16(text, true, true)),
        ("utf-16be", utf16(text, false, true)),
        ("utf-16le without mark", utf16(text, true, false)),
        ("tabs", text.replace(';', "\t").into_bytes()),
        ("pipes", text.replace(';', "|").into_bytes()),
        ("commas", text.replace(';', ",").into_bytes()),
        ("carriage returns", text.replace('\n', "\r").into_bytes()),
    ] {
        assert_eq!(read(&bytes).unwrap(), wanted, "{name}");
    }
}

#[test]
fn a_file_that_is_utf8_only_in_its_beginning_is_not() {
    let mut sniffer = Sniffer::default();
    sniffer.take("Name,Phone\nJ\u{f6}rg,1\n".repeat(20_000).as_bytes());
    sniffer.take(b"Zo\xEB,2\n");
    assert_eq!(sniffer.finish(&Reading::default()).unwrap().encoding, Encoding::Windows1252);
    let mut sniffer = Sniffer::default();
    for byte in "Name,Phone\nJörg 😀,1\n".as_bytes().chunks(1) {
        sniffer.take(byte);
    }
    assert_eq!(sniffer.finish(&Reading::default()).unwrap().encoding, Encoding::Utf8);
}

#[test]
fn headers_are_told_from_data() {
    for (text, header) in [
        ("Name,Mobile\nDana,0412345678\n", true),
        ("Dana,0412345678\nEli,0412345679\n", false),
        ("dana@example.com\neli@example.com\n", false),
        ("E-mail\neli@example.com\n", true),
    ] {
        assert_eq!(sniff(text.as_bytes(), true).unwrap().header, header, "{text}");
    }
    let header: Cells = ["Mobile", "", "mobile", "A\nB"].iter().collect();
    assert_eq!(headings(Some(&header), 5), ["Mobile", "Column B", "mobile (2)", "A B", "Column E"]);
    assert_eq!(letters(701), "ZZ");
}

#[test]
fn broken_and_hostile_files_are_told_in_a_sentence() {
    let wide = format!("{}\n", "a,".repeat(10_000));
    let long = [b"Name\n".to_vec(), vec![b'x'; 3 << 20]].concat();
    let endless = format!("Name,Phone\nDana,\"0412345678\n{}", "Eli,0412345679\n".repeat(200_000));
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b" \n \n", "empty"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old Excel"),
        (b"%PDF-1.7 ", "PDF"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", "not a text file"),
        (b"PK\x03\x04 not really", "damaged"),
        (wide.as_bytes(), "10001 columns"),
        (&long, "longer than 1 MB"),
        (b"Name,Phone\nDana,\"0412345678\nEli,0412345679\n", "row 2 is never closed"),
        (endless.as_bytes(), "longer than 1 MB"),
    ] {
        let words = read(bytes).unwrap_err();
        assert!(words.contains(part), "{words}");
    }
    // Odd, but readable.
    let rows = read(b"Name,Phone\nDa\0na,0412345678\nragged\n,,\n=1+1,\"0412\n345\",x\n").unwrap();
    assert_eq!(rows[1..], [vec!["Da\0na", "0412345678"], vec!["ragged"], vec!["=1+1", "0412\n345", "x"]]);
}

/// A workbook with these parts.
pub(in crate::imports) fn workbook(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const WORKBOOK: (&str, &str) = (
    "xl/workbook.xml",
    r#"<workbook xmlns:r="r"><workbookPr/><sheets><sheet name="List" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
);
const RELATIONS: (&str, &str) = (
    "xl/_rels/workbook.xml.rels",
    r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#,
);

#[test]
fn workbooks_are_read_as_people_see_them() {
    let book = workbook(&[
        WORKBOOK,
        RELATIONS,
        (
            "xl/sharedStrings.xml",
            r#"<sst><si><t>Mobile</t></si><si><r><t>Since &amp; </t></r><r><t>when</t></r></si></sst>"#,
        ),
        (
            "xl/styles.xml",
            r#"<styleSheet><numFmts><numFmt numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="165"/></cellXfs></styleSheet>"#,
        ),
        (
            "xl/worksheets/sheet1.xml",
            r#"<worksheet><sheetData>
              <row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>
              <row r="2"><c r="A2"><v>6.1412345678E10</v></c><c r="B2"><f>1+1</f><v>2</v></c><c r="C2" s="1"><v>46095</v></c></row>
              <row r="5"><c r="A5" t="inlineStr"><is><t>0412 345 679</t></is></c><c r="C5" t="b"><v>1</v></c></row>
            </sheetData></worksheet>"#,
        ),
    ]);
    assert_eq!(
        read(&book).unwrap(),
        [
            vec!["Mobile", "", "Since & when"],
            vec!["61412345678", "2", "2026-03-14"],
            vec!["0412 345 679", "", "true"]
        ]
    );
}

#[test]
fn a_workbook_that_unpacks_without_end_is_refused() {
    let text = format!(
        "<sst>{}</sst>",
        "<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>".repeat(1_500_000)
    );
    let book = workbook(&[
        WORKBOOK,
        RELATIONS,
        ("xl/sharedStrings.xml", &text),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData/></worksheet>"),
    ]);
    assert!(book.len() < 2 << 20, "{} bytes", book.len());
    let words = read(&book).unwrap_err();
    assert!(words.contains("unpacks to far more") || words.contains("too much text"), "{words}");
    let long = format!(
        "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{}</t></is></c></row></sheetData></worksheet>",
        "x".repeat(30 << 20)
    );
    let words = read(&workbook(&[WORKBOOK, RELATIONS, ("xl/worksheets/sheet1.xml", &long)])).unwrap_err();
    assert!(words.contains("longer than 1 MB"), "{words}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-c0-9,;\"\t\n\r|\\x00é=+-]{0,300}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn a_damaged_workbook_is_read_or_refused(place in 0_usize..900, byte in any::<u8>()) {
        let mut book = workbook(&[WORKBOOK, RELATIONS, ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>")]);
        let place = place % book.len();
        book[place] = byte;
        let _ = read(&book);
    }
}
