//! Puts the front end together, so that it is part of the program: one style sheet out of `web/styles` in the order
//! of `index.txt`, a sprite of the icons named in `web/icons.txt`, our scripts as they are, and the files that we
//! name of the libraries in `web/node_modules`. Everything is compressed here, once, and the version in its
//! addresses is made of its contents.

use std::{
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

struct Asset {
    path: String,
    media: &'static str,
    bytes: Vec<u8>,
}

fn main() {
    if let Err(sentence) = assemble() {
        println!("cargo::error={sentence}");
        std::process::exit(1);
    }
}

fn assemble() -> Result<(), String> {
    let web = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../web");
    let out = PathBuf::from(variable("OUT_DIR")?);
    for watched in ["styles", "scripts", "marks", "icons.txt", "package-lock.json"] {
        println!("cargo::rerun-if-changed=../../web/{watched}");
    }
    // They are part of the program too, and the macro that embeds them does not notice a new one.
    println!("cargo::rerun-if-changed=migrations");
    let modules = web.join("node_modules");
    for library in ["htmx.org", "lucide-static"] {
        if !modules.join(library).join("package.json").exists() {
            return Err("The front-end libraries are missing: run npm ci in web/".to_owned());
        }
    }
    let mut assets = vec![
        Asset {
            path: "app.css".into(),
            media: "text/css; charset=utf-8",
            bytes: styles(&web.join("styles"))?,
        },
        Asset { path: "icons.svg".into(), media: "image/svg+xml", bytes: sprite(&web, &modules)? },
        Asset {
            path: "htmx.js".into(),
            media: SCRIPT,
            bytes: bytes(&modules.join("htmx.org/dist/htmx.min.js"))?,
        },
        Asset { path: "logo.svg".into(), media: "image/svg+xml", bytes: bytes(&web.join("marks/logo.svg"))? },
    ];
    assets.extend(scripts(&web.join("scripts"))?);
    write(&out, &assets)
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

fn styles(folder: &Path) -> Result<Vec<u8>, String> {
    let mut sheet = String::new();
    for name in text(&folder.join("index.txt"))?.lines().map(str::trim).filter(|name| !name.is_empty()) {
        sheet.push_str(&without_comments(&text(&folder.join(name))?));
        sheet.push('\n');
    }
    Ok(sheet.into_bytes())
}

/// Comments are for people who read the source. No string in our styles holds their marks.
fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn sprite(web: &Path, modules: &Path) -> Result<Vec<u8>, String> {
    let mut sprite = String::from(r#"<svg xmlns="http://www.w3.org/2000/svg">"#);
    for name in text(&web.join("icons.txt"))?.split_whitespace() {
        let source = text(&modules.join(format!("lucide-static/icons/{name}.svg")))
            .map_err(|_| format!("web/icons.txt names {name}, which is not an icon of lucide"))?;
        let shape = source
            .split_once("<svg")
            .and_then(|(_, rest)| rest.split_once('>'))
            .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
            .map(|(shape, _)| shape.lines().map(str::trim).collect::<String>().replace(" />", "/>"))
            .ok_or_else(|| format!("the icon {name} is not an SVG"))?;
        let _ = write!(sprite, r#"<symbol id="{name}" viewBox="0 0 24 24">{shape}</symbol>"#);
    }
    sprite.push_str("</svg>");
    Ok(sprite.into_bytes())
}

fn scripts(folder: &Path) -> Result<Vec<Asset>, String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "js"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name =
                path.file_name().and_then(|name| name.to_str()).ok_or("a script's name is not text")?;
            Ok(Asset { path: format!("scripts/{name}"), media: SCRIPT, bytes: bytes(&path)? })
        })
        .collect()
}

fn write(out: &Path, assets: &[Asset]) -> Result<(), String> {
    let mut version = DefaultHasher::new();
    let mut table = String::from("pub static ASSETS: &[Asset] = &[\n");
    for (number, asset) in assets.iter().enumerate() {
        (&asset.path, &asset.bytes).hash(&mut version);
        let (plain, small) = (out.join(format!("asset-{number}")), out.join(format!("asset-{number}.br")));
        let mut compressed = Vec::new();
        let options = brotli::enc::BrotliEncoderParams {
            quality: 11,
            size_hint: asset.bytes.len(),
            ..Default::default()
        };
        brotli::BrotliCompress(&mut asset.bytes.as_slice(), &mut compressed, &options)
            .map_err(|error| format!("{} cannot be compressed: {error}", asset.path))?;
        fs::write(&plain, &asset.bytes).map_err(|error| error.to_string())?;
        fs::write(&small, &compressed).map_err(|error| error.to_string())?;
        let _ = writeln!(
            table,
            "    Asset {{ path: {:?}, media: {:?}, plain: include_bytes!({plain:?}), brotli: include_bytes!({small:?}) }},",
            asset.path, asset.media,
        );
    }
    let _ = writeln!(table, "];\npub const VERSION: &str = \"{:016x}\";", version.finish());
    fs::write(out.join("assets.rs"), table).map_err(|error| error.to_string())
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("cargo sets no {name}"))
}
