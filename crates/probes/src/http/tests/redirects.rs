//! Where redirects lead, and what they do not take with them.

use super::*;

fn to(status: u16, place: &str) -> String {
    page(&format!("{status} Moved"), &format!("location: {place}\r\n"), "moved")
}

#[tokio::test]
async fn each_redirect_has_its_own_phases() {
    let (server, heard) = site(|path| match path {
        "/a" => to(302, "b?x=1"),
        "/b?x=1" => to(308, "/c#top"),
        _ => page("200 OK", "", "done"),
    })
    .await;
    let result = get(format!("http://{server}/a"), &[(&CONTAINS, text("done"))]).await;
    assert_well(&result);
    let hops = &detail(&result).hops;
    assert_eq!(hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), [Some(302), Some(308), Some(200)]);
    assert!(hops.iter().all(|hop| hop.phases.connect > 0.0 && hop.phases.first_byte > 0.0));
    assert!(hops[2].url.raw().ends_with("/c#top"), "{}", hops[2].url);
    assert_sums(&result);
    assert!(heard.lock().expect("nobody panics")[2].starts_with("GET /c HTTP/1.1"), "a fragment is not sent");
    assert!(result.measures().iter().any(|m| m.metric == ProbeMetric::Redirects && m.value == 2.0));
    let first =
        get(format!("http://{server}/a"), &[(&REDIRECTS, OptionValue::Flag(false)), (&STATUS, texts(&["302"]))]).await;
    assert_well(&first);
    assert_eq!(detail(&first).hops.len(), 1);
}

#[tokio::test]
async fn a_circle_ends() {
    let (server, heard) = site(|_| to(302, "/again")).await;
    let result = get(format!("http://{server}/"), &[]).await;
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("10 redirects"), "{message}");
    assert_eq!(
        (detail(&result).hops.len(), heard.lock().expect("nobody panics").len()),
        (MAX_REDIRECTS + 1, MAX_REDIRECTS + 1)
    );
}

/// A public page must not be able to send the agent into its own network.
#[tokio::test]
async fn a_redirect_into_a_forbidden_network_is_not_followed() {
    let inside = tokio::net::TcpListener::bind("127.0.0.66:0").await.expect("the loopback is there");
    let secret = inside.local_addr().expect("it is bound");
    let (server, _) = site(move |_| to(302, &format!("http://{secret}/latest/meta-data"))).await;
    let policy = Policy { allow: vec!["127.0.0.1/32".parse().expect("a network")], deny: Vec::new() };
    let careful = crate::Tools { policy: Arc::new(policy), ..tools() };
    let result = probe_with(&spec(ProbeKind::Http, format!("http://{server}/")), &careful).await;
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Forbidden, "{message}");
    assert_eq!(detail(&result).hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), [Some(302), None]);
    let knock = tokio::time::timeout(std::time::Duration::from_millis(50), inside.accept()).await;
    assert!(knock.is_err(), "nobody knocks there");
    for place in ["file:///etc/passwd", "gopher://x/", "http://a:b@127.0.0.1/", "http://"] {
        let (server, _) = site(move |_| to(302, place)).await;
        let (reason, message) = failure(&get(format!("http://{server}/"), &[]).await);
        assert_eq!(reason, FailureReason::Unexpected, "{place}: {message}");
    }
}

#[tokio::test]
async fn credentials_stay_with_the_host_that_they_are_for() {
    let (other, heard_other) = site(|_| page("200 OK", "", "")).await;
    let (server, heard) = site(move |path| match path {
        "/same" => to(307, "/there"),
        "/other" => to(307, &format!("http://{other}/")),
        _ => page("200 OK", "", ""),
    })
    .await;
    let secrets = [
        (&BASIC, text("user:hunter2")),
        (&HEADERS, texts(&["X-Api-Key: hunter2", "Cookie: hunter2", "Accept: text/html", "Host: virtual.example"])),
    ];
    assert_well(&get(format!("http://{server}/same"), &secrets).await);
    let again = heard.lock().expect("nobody panics")[1].clone();
    assert!(
        again.contains("authorization: Basic") && again.contains("x-api-key: hunter2"),
        "the same host gets them again: {again}"
    );
    assert_well(&get(format!("http://{server}/other"), &secrets).await);
    let told = heard_other.lock().expect("nobody panics")[0].clone();
    assert!(
        !told.contains("hunter2") && !told.contains("authorization") && !told.contains("virtual.example"),
        "{told}"
    );
    assert!(told.contains("accept: text/html"), "{told}");
}

#[tokio::test]
async fn methods_and_bodies_change_as_in_browsers() {
    let (other, _) = site(|_| page("200 OK", "", "")).await;
    let (server, heard) = site(move |path| match path {
        "/301" => to(301, "/end"),
        "/303" => to(303, "/end"),
        "/307" => to(307, "/end"),
        "/away" => to(308, &format!("http://{other}/")),
        _ => page("200 OK", "", ""),
    })
    .await;
    let sends = |method: &str| [(&METHOD, text(method)), (&BODY, text("payload"))];
    for (path, method, then) in [
        ("301", "POST", "GET"),
        ("303", "PUT", "GET"),
        ("307", "POST", "POST"),
        ("301", "PUT", "PUT"),
        ("303", "HEAD", "HEAD"),
    ] {
        heard.lock().expect("nobody panics").clear();
        assert_well(&get(format!("http://{server}/{path}"), &sends(method)).await);
        let last = heard.lock().expect("nobody panics")[1].clone();
        assert!(last.starts_with(&format!("{then} /end ")), "{path} {method}: {last}");
        assert_eq!(
            last.contains("content-length: 7"),
            then == "POST" || then == "PUT" || then == "HEAD",
            "{path} {method}: {last}"
        );
    }
    let (reason, message) = failure(&get(format!("http://{server}/away"), &sends("POST")).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("body"), "{message}");
}
