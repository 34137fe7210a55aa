use std::{fs, path::PathBuf};

use chrono::TimeDelta;

use super::schedule;
use crate::tests::TestApp;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("patchbay-backups-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn names(folder: &PathBuf) -> Vec<String> {
    let entries =
        fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let mut names: Vec<String> = entries
        .iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".dump"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_a_day_is_made_and_seven_days_are_kept() {
    let test = TestApp::new().await;
    crate::fence::check(&test.app.db, None, test.app.now()).await.unwrap();
    let (url, folder) = (test.url.clone(), folder("daily"));
    assert!(
        schedule::once(&test.app, &url, &folder).await.unwrap().is_none(),
        "nothing is worth keeping yet"
    );
    test.clock.advance(TimeDelta::hours(2));
    assert!(schedule::once(&test.app, &url, &folder).await.unwrap().is_some());
    assert!(schedule::once(&test.app, &url, &folder).await.unwrap().is_none(), "once a day");
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    for _ in 0..9 {
        test.clock.advance(TimeDelta::hours(25));
        assert!(schedule::once(&test.app, &url, &folder).await.unwrap().is_some());
    }
    let kept = names(&folder);
    assert_eq!(kept.len(), 7, "{kept:?}");
    assert!(folder.join("notes.txt").exists());
    assert!(folder.join(format!("{}.sha256", kept[0])).exists());
    test.clock.advance(TimeDelta::days(90));
    let newest = schedule::newest(&folder).expect("a backup");
    assert_eq!((test.app.now() - newest).num_days(), 90);
    fs::remove_dir_all(&folder).unwrap();
}
