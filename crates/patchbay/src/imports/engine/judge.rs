//! Rows compared with what is known: what is to be done with each, and who the people behind new contacts are.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Item, Judged, Work, columns, samples::Samples};
use crate::{
    error::Result,
    imports::{
        decide::{self, Action, Seen, Verdict},
        file,
        parse::Batch,
        row::Row,
        sql,
    },
};

/// Looks rows up and judges them; in a real import also finds the people behind new contacts, in a transaction of its
/// own.
pub(super) async fn judge(
    work: Arc<Work>,
    mut parsed: mpsc::Receiver<Batch>,
    verdicts: mpsc::Sender<Judged>,
) -> Result<()> {
    let (mut seen, mut labels) = (Seen::default(), Arc::new(Vec::new()));
    let mut samples = Samples::read(&work.import.samples);
    // A workbook leaves empty cells at the end of a row out; a text file does not.
    let width = (work.import.format()?.kind == file::Kind::Csv).then_some(work.plan.fields.len());
    while let Some(batch) = parsed.recv().await {
        if !batch.labels.is_empty() {
            Arc::make_mut(&mut labels).extend(batch.labels);
        }
        let mut judged = Judged {
            from: batch.from,
            items: Vec::new(),
            labels: labels.clone(),
            bytes: batch.bytes,
            samples: None,
            done_before: batch.done_before,
        };
        if batch.done_before {
            for row in batch.rows.iter().filter_map(|parsed| parsed.row.as_ref().ok()) {
                seen.note(row);
            }
        } else {
            let rows: Vec<(usize, &Row)> = batch
                .rows
                .iter()
                .enumerate()
                .filter_map(|(place, parsed)| Some((place, parsed.row.as_ref().ok()?)))
                .collect();
            let mut conn = work.app.db.system_conn().await?;
            let known = sql::lookup(&mut conn, work.import.tenant_id, &rows, work.plan.is_list).await?;
            drop(conn);
            judged.items = batch
                .rows
                .into_iter()
                .enumerate()
                .map(|(place, parsed)| {
                    let (row, verdict, problem) = match parsed.row {
                        Ok(row) => {
                            let verdict = decide::decide(&row, place, &work.plan, &known, &mut seen, &labels);
                            (Some(row), verdict, None)
                        }
                        Err(problem) => (None, Verdict::invalid(), Some(problem)),
                    };
                    Item { number: parsed.number, cells: parsed.cells, row, verdict, problem, person: None }
                })
                .collect();
            judged.samples = samples.take(&judged.items, &known, width);
            if !work.import.dry_run {
                find_people(&work, &mut judged.items).await?;
            }
        }
        if verdicts.send(judged).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn find_people(work: &Work, items: &mut [Item]) -> Result<()> {
    let new = columns(&work.app, items);
    if new.id.is_empty() {
        return Ok(());
    }
    let mut tx = work.app.db.system().await?;
    let people = sql::resolve_people(tx.conn(), &new).await?;
    tx.commit().await?;
    for (item, person) in items.iter_mut().filter(|item| item.verdict.action == Action::Insert).zip(people) {
        item.person = person;
    }
    Ok(())
}

/// Judges new contacts of a batch anew, because somebody was faster with one of them.
pub(super) async fn judge_again(work: &Work, batch: &mut Judged) -> Result<()> {
    let rows: Vec<(usize, &Row)> = batch
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.verdict.action == Action::Insert)
        .filter_map(|(place, item)| Some((place, item.row.as_ref()?)))
        .collect();
    let mut conn = work.app.db.system_conn().await?;
    let known = sql::lookup(&mut conn, work.import.tenant_id, &rows, false).await?;
    let places: Vec<usize> = rows.iter().map(|(place, _)| *place).collect();
    for place in places {
        let existing = known.matches.get(&place).and_then(|id| known.contacts.get(id));
        let item = &mut batch.items[place];
        if let (Some(row), Some(_)) = (&item.row, existing) {
            item.verdict = decide::judge(row, existing, &work.plan, &known, &batch.labels);
        }
    }
    Ok(())
}
