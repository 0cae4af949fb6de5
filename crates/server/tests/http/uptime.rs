//! Uptime, windows of maintenance, heatmaps, and the choice of probes by how they stand.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::people::*;
use netwatch_model::probe::kind::Detail;
use netwatch_model::probe::kind::ping::Ping;
use netwatch_model::probe::{Delays, Failure, FailureReason, ProbeKind, ProbeResult, Trigger, Wilson};
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Label, Metric, Record, Sample, Series, Timestamp, Untrusted, Value,
};
use netwatch_server::history::StorageRules;
use netwatch_storage::{DuckStore, Keep, Kind, LookupPaths, Lookups, StoreConfig, TelemetryStore, Watermarks};
use serde_json::{Value as Json, json};

use crate::people::{Person, Place, now};
use crate::support::{Answer, TestServer};

const PROBES: &str = "/api/v1/probes";
const MAINTENANCE: &str = "/api/v1/maintenance";

async fn send(server: &TestServer, who: &Person, method: &str, path: &str, body: Json) -> Answer {
    let headers = [("cookie", who.cookie.as_str()), ("content-type", "application/json"), ("if-match", "*")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.ask(method, path, &headers, &body).await
}

#[track_caller]
fn must(answer: &Answer, status: u16) -> Json {
    assert_eq!(answer.status, status, "{}", answer.body);
    if answer.body.is_empty() { Json::Null } else { answer.json() }
}

/// A server with a store.
struct Bench {
    server: TestServer,
    own: Place,
    store: Arc<DuckStore>,
    position: u64,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: 0 };
        let config = StoreConfig { watermarks, ..StoreConfig::new(folder.path()) };
        let (store, _) = DuckStore::open(config, Arc::new(Lookups::new(LookupPaths::default())), now()).unwrap();
        let store = Arc::new(store);
        let telemetry: Arc<dyn TelemetryStore> = Arc::<DuckStore>::clone(&store);
        let server = TestServer::start_with_history(telemetry, StorageRules::default()).await;
        let own = server.place("own").await;
        Self { server, own, store, position: 0, _folder: folder }
    }

    fn put(&mut self, agent: u64, records: Vec<Record>) {
        self.position += 1;
        let key = BatchKey { agent: AgentId(agent), boot: BootId(1), sequence: self.position };
        let batch = Batch { key, records };
        let taken = self.store.append(self.own.workspace.id, self.position, batch, now()).unwrap();
        assert_eq!((taken.too_old, taken.too_new, taken.too_many_series), (0, 0, 0));
        // Questions are answered from what is written.
        self.store.flush(now()).unwrap();
    }

    /// Runs of the probe of the workspace, a minute apart from `start`, up or down.
    fn runs(&mut self, agent: u64, start: Timestamp, states: impl IntoIterator<Item = bool>) {
        let labels = |name: &str, value: &str| Label::Other(Arc::from(name), Untrusted::new(value));
        let series = Arc::new(Series {
            metric: Metric::External,
            labels: vec![
                Label::Name(Arc::from("probe_success")),
                labels("kind", "ping"),
                labels("probe", &self.own.probe.id.to_string()),
                labels("target", "192.0.2.1"),
            ],
        });
        let sample = |(n, up): (u64, bool)| {
            let value = Value::Float(if up { 1.0 } else { 0.0 });
            Record::Sample(Sample { series: Arc::clone(&series), time: start + Duration::from_secs(60 * n), value })
        };
        let records = (0..).zip(states).map(sample).collect();
        self.put(agent, records);
    }

    async fn ask(&self, path: &str) -> Json {
        must(&send(&self.server, &self.own.owner, "GET", path, Json::Null).await, 200)
    }

    fn uptime(&self) -> String {
        format!("{PROBES}/{}/uptime", self.own.probe.id)
    }
}

/// The five kinds of seconds.
fn whole(seconds: &Json) -> i64 {
    ["up", "degraded", "down", "maintenance", "unknown"].iter().map(|name| seconds[*name].as_i64().unwrap_or(0)).sum()
}

fn length(of: &Json) -> i64 {
    let second = |name: &str| of[name].as_str().unwrap().parse::<Timestamp>().unwrap().secs();
    second("to") - second("from")
}

/// Three hours of runs; down from an hour on for half an hour.
fn outage() -> impl Iterator<Item = bool> {
    (0..180).map(|n| !(60..90).contains(&n))
}

#[tokio::test]
async fn every_second_of_a_period_is_told() {
    let mut bench = Bench::new().await;
    let start = now() - Duration::from_secs(180 * 60);
    bench.runs(1, start, outage());
    let objective = json!({"objective": 0.99});
    let probe = format!("{PROBES}/{}", bench.own.probe.id);
    must(&send(&bench.server, &bench.own.owner, "PATCH", &probe, objective).await, 200);
    let asked = format!("{}?period=24h&zone=Europe/Berlin", bench.uptime());
    let told = bench.ask(&asked).await;
    assert_eq!((whole(&told["total"]), length(&told)), (86_400, 86_400), "{told}");
    assert_eq!((&told["total"]["down"], &told["total"]["outages"]), (&json!(1800), &json!(1)), "{told}");
    // Three hours of runs, and as long as it took to ask.
    assert!((told["total"]["unknown"].as_i64().unwrap() - 21 * 3600).abs() <= 60, "{told}");
    let share = told["total"]["availability"].as_f64().unwrap();
    assert!((share - 0.8333).abs() < 0.002, "{told}");
    assert!(told["parts"].as_array().unwrap().iter().all(|part| whole(part) == length(part)), "{told}");
    assert_eq!((&told["budget"]["met"], &told["budget"]["left"]), (&json!(false), &json!(864.0 - 1800.0)), "{told}");
    assert_eq!(told["outages"][0]["from"].as_str().unwrap().parse::<Timestamp>().unwrap().secs(), start.secs() + 3600);

    // A window over the first ten minutes of the outage takes them out, and says so.
    let from = Timestamp::from_secs(start.secs() + 3600);
    let window = json!({"name": "Patch", "selection": {"probes": [bench.own.probe.id]},
                        "schedule": {"repeat": "once", "start": from, "end": from + Duration::from_secs(600)}});
    must(&send(&bench.server, &bench.own.owner, "POST", MAINTENANCE, window).await, 201);
    let total = &bench.ask(&asked).await["total"];
    let seen = ["down", "maintenance", "maintenance_down"].map(|name| total[name].as_i64().unwrap());
    assert_eq!((seen, whole(total)), ([1200, 600, 600], 86_400));
    for (query, parameter) in [("zone=Mars/Olympus", "zone"), ("at=yesterday", "at"), ("period=decade", "period")] {
        let path = format!("{}?{query}", bench.uptime());
        let refused = send(&bench.server, &bench.own.owner, "GET", &path, Json::Null).await;
        assert_eq!(refused.json()["parameter"], parameter, "{}", refused.body);
    }
}

#[tokio::test]
async fn agents_must_agree_that_it_is_down() {
    let mut bench = Bench::new().await;
    let start = now() - Duration::from_secs(180 * 60);
    bench.runs(1, start, outage());
    bench.runs(2, start, (0..180).map(|_| true));
    bench.runs(3, start, (0..180).map(|_| true));
    let asked = format!("{}?period=24h", bench.uptime());
    let most = bench.ask(&asked).await;
    assert_eq!((&most["total"]["down"], most["agents"].as_array().unwrap().len()), (&json!(0), 3), "{most}");
    assert_eq!(most["agents"][0]["seconds"]["down"], 1800);
    let probe = format!("{PROBES}/{}", bench.own.probe.id);
    must(&send(&bench.server, &bench.own.owner, "PATCH", &probe, json!({"quorum": 1})).await, 200);
    assert_eq!(bench.ask(&asked).await["total"]["down"], 1800, "one is enough");
    must(&send(&bench.server, &bench.own.owner, "PATCH", &probe, json!({"quorum": 0})).await, 200);
    assert_eq!(bench.ask(&asked).await["quorum"], Json::Null);
}

#[tokio::test]
async fn the_list_goes_page_by_page_and_as_a_file() {
    let mut bench = Bench::new().await;
    bench.runs(1, now() - Duration::from_secs(180 * 60), outage());
    for name in ["Alpha", "=Beta"] {
        let new = json!({"name": name, "objective": 0.999, "spec": {"kind": "tcp", "target": "192.0.2.9:22"}});
        must(&send(&bench.server, &bench.own.owner, "POST", PROBES, new).await, 201);
    }
    let first = bench.ask("/api/v1/uptime?period=7d&limit=2").await;
    let names =
        |page: &Json| page["items"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), ["=Beta", "Alpha"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = bench.ask(&format!("/api/v1/uptime?period=7d&limit=2&cursor={cursor}")).await;
    assert_eq!((names(&second), &second["items"][0]["total"]["down"]), (vec![json!("Router")], &json!(1800)));
    assert_eq!(names(&bench.ask("/api/v1/uptime?kind=ping").await), ["Router"]);
    assert_eq!(names(&bench.ask("/api/v1/uptime?objective=true&search=alp").await), ["Alpha"]);
    let file = send(&bench.server, &bench.own.owner, "GET", "/api/v1/uptime?format=csv", Json::Null).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let lines: Vec<&str> = file.body.lines().collect();
    assert!(lines[0].starts_with("probe,name,kind,target,zone,from,to,up,degraded,down,maintenance,unknown"));
    assert!(lines.len() == 4 && lines[1].contains("\"'=Beta\""), "{}", file.body);
}

#[tokio::test]
async fn ninety_days_of_a_minute_each_are_told() {
    let mut bench = Bench::new().await;
    let mut limits = bench.store.limits();
    for kind in [Kind::Samples, Kind::SampleMinutes] {
        limits.retention.set(kind, Keep { age: Duration::from_secs(100 * 86_400), bytes: 1 << 40 });
    }
    bench.store.set_limits(limits);
    let start = now() - Duration::from_secs(89 * 86_400);
    // Down for an hour of every tenth day.
    for day in 0..89_u32 {
        let from = start + Duration::from_secs(86_400) * day;
        bench.runs(1, from, (0..1440).map(|minute| !(day % 10 == 0 && (600..660).contains(&minute))));
    }
    let told = bench.ask(&format!("{}?period=90d", bench.uptime())).await;
    assert_eq!(told["total"]["down"], 9 * 3600, "{}", told["total"]);
    assert_eq!(whole(&told["total"]), 90 * 86_400);
    assert_eq!(told["outages"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn windows_are_kept_by_who_may_and_mark_their_probes() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let viewer = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    // Three days from now, whatever day this runs on; the first day of all was a Thursday.
    let far = ["mo", "tu", "we", "th", "fr", "sa", "su"][usize::try_from(now().secs() / 86_400 + 6).unwrap() % 7];
    let nightly = json!({"name": "Nightly", "selection": {"all": true},
        "schedule": {"repeat": "weekly", "days": [far], "time": "22:30", "duration": 7200, "zone": "Europe/Berlin"}});
    send(&server, &viewer, "POST", MAINTENANCE, nightly.clone()).await.assert_problem("forbidden");
    let made = must(&send(&server, &own.owner, "POST", MAINTENANCE, nightly.clone()).await, 201);
    assert_eq!((&made["probes"], made["next"].is_object()), (&json!(1), true), "{made}");
    must(&send(&server, &viewer, "GET", MAINTENANCE, Json::Null).await, 200);
    assert_eq!(send(&server, &own.owner, "POST", MAINTENANCE, nightly).await.status, 409, "the name is taken");
    let path = format!("{MAINTENANCE}/{}", made["id"].as_str().unwrap());
    let wrong = [
        (
            json!({"schedule": {"repeat": "weekly", "time": "22:30", "duration": 7200, "zone": "Nowhere"}}),
            "schedule.zone",
        ),
        (
            json!({"schedule": {"repeat": "once", "start": now(), "end": now() - Duration::from_secs(1)}}),
            "schedule.end",
        ),
        (json!({"selection": {}}), "selection"),
    ];
    for (body, field) in wrong {
        let refused = send(&server, &own.owner, "PATCH", &path, body).await;
        assert_eq!((refused.status, refused.json()["parameter"].as_str()), (400, Some(field)), "{}", refused.body);
    }
    let marked = || async {
        let list = must(&send(&server, &viewer, "GET", &format!("{PROBES}?state=maintenance"), Json::Null).await, 200);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(marked().await, 0);
    let (start, end) = (now() - Duration::from_secs(60), now() + Duration::from_secs(3600));
    let today = json!({"schedule": {"repeat": "once", "start": start, "end": end}});
    let changed = must(&send(&server, &own.owner, "PATCH", &path, today).await, 200);
    assert_eq!((&changed["active"], &changed["revision"]), (&json!(true), &json!(2)), "{changed}");
    assert_eq!(marked().await, 1);
    let shown = must(&send(&server, &viewer, "GET", &format!("{PROBES}/{}", own.probe.id), Json::Null).await, 200);
    assert_eq!(shown["maintenance"], true);
    must(&send(&server, &own.owner, "DELETE", &path, Json::Null).await, 204);
    assert_eq!(marked().await, 0);
    let log =
        must(&send(&server, &own.owner, "GET", "/api/v1/audit?action=maintenance.changed", Json::Null).await, 200);
    assert_eq!(log["items"].as_array().unwrap().len(), 3, "{log}");
}

#[tokio::test]
async fn a_file_declares_objectives_and_windows_by_the_names_of_probes() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let schedule = json!({"repeat": "weekly", "days": [], "time": "03:00", "duration": 1800, "zone": "UTC"});
    let file = json!({"version": 1, "objects": {
        "probes": [{"name": "Shop", "objective": 0.999, "quorum": 2, "spec": {"kind": "ping", "target": "192.0.2.7"}}],
        "maintenance": [{"name": "Night", "probes": ["Shop"], "schedule": schedule}]}});
    let applied = must(&send(&server, &own.owner, "POST", "/api/v1/apply?source=team.yaml", file.clone()).await, 200);
    assert_eq!(applied["changes"].as_array().unwrap().len(), 2, "{applied}");
    let again = must(&send(&server, &own.owner, "POST", "/api/v1/apply?source=team.yaml", file).await, 200);
    assert_eq!((&again["changes"], &again["unchanged"]), (&json!([]), &json!(2)));
    let exported = must(&send(&server, &own.owner, "GET", "/api/v1/export", Json::Null).await, 200);
    let night =
        exported["objects"]["maintenance"].as_array().unwrap().iter().find(|one| one["name"] == "Night").unwrap();
    assert_eq!((&night["probes"], &night["schedule"]["time"]), (&json!(["Shop"]), &json!("03:00")));
    let list = must(&send(&server, &own.owner, "GET", &format!("{MAINTENANCE}?search=night"), Json::Null).await, 200);
    assert_eq!(list["items"][0]["managed_by"], "team.yaml");
    let path = format!("{MAINTENANCE}/{}", list["items"][0]["id"].as_str().unwrap());
    send(&server, &own.owner, "DELETE", &path, Json::Null).await.assert_problem("managed_by_file");
    let unknown = json!({"version": 1, "objects": {"maintenance": [
        {"name": "X", "probes": ["Nobody"], "schedule": {"repeat": "weekly", "time": "03:00", "duration": 60, "zone": "UTC"}}]}});
    let refused = send(&server, &own.owner, "POST", "/api/v1/apply", unknown).await;
    assert!(refused.status == 400 && refused.body.contains("Nobody"), "{}", refused.body);
}

fn result(probe: ProbeId, agent: u64, start: Timestamp, delays: &[f64], sent: u32) -> ProbeResult {
    let received = u32::try_from(delays.len()).unwrap();
    let loss = 1.0 - f64::from(received) / f64::from(sent);
    let failure = (received == 0).then(|| Failure::new(FailureReason::Timeout, "no answer"));
    let ping = Ping {
        hop_limit: None,
        lookup: None,
        sent,
        received,
        loss,
        loss_interval: Wilson::of(sent - received, sent),
        duplicates: 0,
        reordered: 0,
        late: 0,
        rtt: Delays::of(delays),
        kernel_stamps: true,
    };
    ProbeResult {
        probe: Some(probe),
        agent: AgentId(agent),
        kind: ProbeKind::Ping,
        target: "192.0.2.1".to_owned(),
        address: None,
        source: None,
        scheduled: start,
        start,
        duration: 1.0,
        trigger: Trigger::Schedule,
        late: false,
        failure,
        detail: Some(Detail::Ping(Box::new(ping))),
    }
}

#[tokio::test]
async fn a_heatmap_counts_delays_by_size() {
    let mut bench = Bench::new().await;
    let (probe, start) = (bench.own.probe.id, now() - Duration::from_secs(600));
    let runs = [result(probe, 1, start, &[0.010, 0.020, 0.040], 4), result(probe, 2, start, &[], 4)];
    bench.put(1, runs.map(|run| Record::Probe(Box::new(run))).to_vec());
    let map = bench.ask(&format!("{PROBES}/{probe}/heatmap?from=-1h&step=60")).await;
    assert_eq!((&map["source"], &map["step"]), (&json!("packets"), &json!(60.0)), "{map}");
    let steps = map["steps"].as_array().unwrap();
    let told: Vec<&Json> = steps.iter().filter(|step| step["runs"] != 0).collect();
    assert_eq!((told.len(), &told[0]["runs"], &told[0]["loss"]), (1, &json!(2), &json!(0.625)), "{map}");
    let counts: i64 = told[0]["counts"].as_array().unwrap().iter().filter_map(Json::as_i64).sum();
    assert_eq!((counts, told[0]["delays"].as_array().unwrap().len()), (21, 12));
    assert_eq!((&told[0]["delays"][0], &told[0]["delays"][11]), (&json!(0.010), &json!(0.040)));
    assert_eq!(map["bounds"].as_array().unwrap().len(), told[0]["counts"].as_array().unwrap().len() + 1);
    let other = bench.ask(&format!("{PROBES}/{probe}/heatmap?from=-1h&step=60&agent=0000000000000002")).await;
    assert_eq!(other["bounds"], json!([]), "it had no answer");
    // Too many runs for results: made of what is kept of the numbers.
    let long = bench.ask(&format!("{PROBES}/{probe}/heatmap?from=-60d")).await;
    assert_eq!(long["source"], "rollups");
    let steps = format!("{PROBES}/{probe}/heatmap?from=-30d&step=1");
    send(&bench.server, &bench.own.owner, "GET", &steps, Json::Null).await.assert_problem("invalid_parameter");
}

#[tokio::test]
async fn probes_are_chosen_and_ordered_by_how_they_stand() {
    let server = TestServer::start().await;
    let bearer = format!("Bearer {}", crate::support::TOKEN);
    let ask = |method: &'static str, path: String, body: Json| {
        let (server, bearer) = (&server, bearer.clone());
        async move {
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let body = if body.is_null() { String::new() } else { body.to_string() };
            server.ask(method, &path, &headers, &body).await
        }
    };
    let mut ids = Vec::new();
    for (name, site) in [("Alpha", "berlin"), ("Beta", "berlin"), ("Gamma", "paris"), ("Delta", "paris")] {
        let spec = json!({"kind": "ping", "target": "192.0.2.1", "labels": {"site": site}});
        let made = must(&ask("POST", PROBES.to_owned(), json!({"name": name, "spec": spec})).await, 201);
        ids.push(made["id"].as_str().unwrap().parse::<ProbeId>().unwrap());
    }
    let runs = [(ids[0], &[0.01, 0.01][..]), (ids[1], &[]), (ids[2], &[0.02])];
    let records = runs.map(|(id, delays)| Record::Probe(Box::new(result(id, 1, now(), delays, 2)))).to_vec();
    let key = BatchKey { agent: AgentId(1), boot: BootId(9), sequence: 1 };
    server.store.apply(&Batch { key, records }, now());
    let names = |query: &str| {
        let asked = ask("GET", format!("{PROBES}?{query}"), Json::Null);
        async move {
            let page = must(&asked.await, 200);
            let items = page["items"].as_array().unwrap();
            (
                items.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
                page["next_cursor"].clone(),
            )
        }
    };
    assert_eq!(names("sort=state").await.0, ["Beta", "Gamma", "Delta", "Alpha"], "down, lossy, waiting, up");
    assert_eq!(names("state=down").await.0, ["Beta"]);
    assert_eq!(names("state=degraded").await.0, ["Gamma"]);
    assert_eq!(names("state=waiting").await.0, ["Delta"]);
    assert_eq!(names("label=site%3Dparis&sort=loss").await.0, ["Gamma", "Delta"]);
    assert_eq!(names("kind=dns").await.0, Vec::<String>::new());
    assert_eq!(names("sort=response&limit=2").await.0, ["Gamma", "Alpha"]);
    let (first, cursor) = names("sort=state&limit=3").await;
    let next = names(&format!("sort=state&limit=3&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((first.len(), next), (3, (vec!["Alpha".to_owned()], Json::Null)));
    ask("GET", format!("{PROBES}?sort=loss&cursor={}", cursor.as_str().unwrap()), Json::Null)
        .await
        .assert_problem("invalid_cursor");
}
