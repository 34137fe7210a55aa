//! How fast numbers are read: one core, a mix as in an import. Prints rows per second.

use patchbay_rules::phone::parse;
use std::time::Instant;

/// Region, what it looks like, and how a row of it is written.
type Shape = (&'static str, &'static str, fn(u32) -> String);

const ROWS: u32 = 200_000;

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() {
    let shapes: [Shape; 6] = [
        ("AU", "0412 345 678", |row| format!("04{:02} {:03} {:03}", row % 36, row / 36 % 1_000, row % 997)),
        ("AU", "+61412345678", |row| format!("+614{:02}{:06}", row % 36, row % 999_983)),
        ("US", "(415) 555-2671", |row| format!("(415) {:03}-{:04}", 200 + row % 700, row % 9_973)),
        ("US", "+14155552671", |row| format!("+1212{:03}{:04}", 200 + row % 700, row % 9_973)),
        ("GB", "07911 123456", |row| format!("0791{} {:06}", row % 10, row % 999_983)),
        ("AU", "(02) 9374 4000", |row| format!("(02) 93{:02} {:04}", row % 100, row % 9_973)),
    ];
    for (region, shape, write) in shapes {
        let rows: Vec<String> = (0..ROWS).map(write).collect();
        let _ = parse(&rows[0], Some(region));
        let start = Instant::now();
        let valid = rows.iter().filter(|row| parse(row, Some(region)).is_ok_and(|phone| phone.valid)).count();
        let seconds = start.elapsed().as_secs_f64();
        let (per_second, each) = (f64::from(ROWS) / seconds, seconds * 1e6 / f64::from(ROWS));
        println!("{region} {shape:<16} {per_second:>10.0} rows/s {each:>7.2} µs  {valid} valid");
    }
}
