//! Figures of lists: pages of many entities of a workspace.
//!
//! ```text
//! cargo run --release -p netwatch-entities --example pages -- [THOUSANDS]
//! ```
//!
//! Agents stand for anything that has a name and is listed by it: what is measured is what every kind does alike.

use std::sync::Arc;
use std::time::Duration;

use netwatch_entities::{Entities, ListQuery, Mark, Order, Slice, SqliteStore, StoreError, Stored, Vault};
use netwatch_model::people::*;
use netwatch_model::{AgentId, Timestamp};
use netwatch_telemetry::clock;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const PAGE: usize = 50;
const TIMES: usize = 101;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let many = 1000 * std::env::args().nth(1).map_or(Ok(100), |text| text.parse::<u64>())?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(&at("entities.db"), &at("copy.db"), "")?;
    let entities = Entities::new(Arc::new(store), Arc::new(Vault::open(&at("secrets.key"))?));
    let place = WorkspaceId::from_bits(1);
    let name = "figures".parse()?;
    // In an order that is not that of their names.
    let numbers = (0..many).map(|n| n * 7919 % many);
    let hosts = numbers.map(|n| Ok(host(place, format!("host-{n:06}.example.net").parse()?, n)));
    let hosts = hosts.collect::<Result<Vec<_>>>()?;
    entities.write(NOW, move |tx| {
        tx.insert(&Workspace { id: place, name, created: NOW, limits: Limits::default() })?;
        hosts.iter().try_for_each(|host| tx.insert(host).map(drop))
    })?;
    say(&format!("{many} hosts, pages of {PAGE}"));
    let page = |query: ListQuery| move |entities: &Entities| entities.read(|tx| tx.list::<Agent>(place, &query));
    let first = ListQuery { limit: PAGE, ..ListQuery::default() };
    measure(&entities, "the first, by name", page(first.clone()))?;
    let after = middle(&entities, place)?;
    measure(&entities, "one in the middle, by name", page(ListQuery { after, ..first.clone() }))?;
    measure(&entities, "the first, newest first", page(ListQuery { order: Order::Newest, ..first.clone() }))?;
    let search = |text: &str| ListQuery { search: Some(text.to_owned()), ..first.clone() };
    measure(&entities, "the first of those with `99` in their names", page(search("99")))?;
    measure(&entities, "the only one with a name", page(search(&format!("host-{:06}", many - 1))))?;
    measure(&entities, "nothing found", page(search("nobody")))
}

fn host(workspace: WorkspaceId, name: DisplayName, n: u64) -> Agent {
    Agent {
        id: AgentId(n + 1),
        workspace,
        name,
        origin: AgentOrigin::Enrolled,
        key: None,
        enabled: true,
        global: false,
        labels: [].into(),
        group: None,
        location: None,
        created: NOW,
    }
}

/// Where the page in the middle begins.
fn middle(entities: &Entities, place: WorkspaceId) -> Result<Option<Mark>> {
    let mut query = ListQuery { limit: 500, ..ListQuery::default() };
    let pages = entities.read(|tx| tx.count::<Agent>(place))? / 1000;
    for _ in 0..pages {
        query.after = entities.read(|tx| tx.list::<Agent>(place, &query))?.next;
    }
    Ok(query.after)
}

fn measure(
    entities: &Entities,
    what: &str,
    ask: impl Fn(&Entities) -> std::result::Result<Slice<Stored<Agent>>, StoreError>,
) -> Result<()> {
    let (mut times, mut rows) = (Vec::<Duration>::new(), 0);
    for _ in 0..TIMES {
        let begin = clock::monotonic();
        rows = ask(entities)?.items.len();
        times.push(clock::monotonic() - begin);
    }
    times.sort();
    let ms = |place: usize| times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3;
    say(&format!("  {what}: {rows} rows, median {:.2} ms, worst of {TIMES} {:.2} ms", ms(TIMES / 2), ms(TIMES - 1)));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are printed")]
fn say(line: &str) {
    println!("{line}");
}
