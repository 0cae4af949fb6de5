//! A server of throughput tests that is there when somebody may make one, and speaks with nobody else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::*;

fn free_port() -> u16 {
    TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port()
}

fn naming(address: &str) -> Arc<Assignment> {
    Arc::new(Assignment { testers: vec![address.parse().unwrap()], ..Assignment::default() })
}

/// What the server says to a client of iperf3 that comes from this host: 9 asks it for its parameters. None when it hangs up.
fn greeting(port: u16) -> Option<u8> {
    let mut client = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The cookie of a test.
    client.write_all(&[b'c'; 37]).ok()?;
    let mut octet = [0];
    client.read_exact(&mut octet).ok().map(|()| octet[0])
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        // waits: for a thread to open or close its sockets, or to end the test of a client that has left.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_listens_only_while_somebody_is_named_and_serves_them_alone() {
    let (assign, assigned) = watch::channel(Arc::new(Assignment::default()));
    let port = free_port();
    let running = tokio::spawn(serve_while_named(port, assigned, |told| told.unwrap()));
    let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(!listens(), "nobody is named");
    assign.send_replace(naming("127.0.0.1"));
    until(listens).await;
    until(|| greeting(port) == Some(9)).await;
    // Another agent is named: this host is not spoken to any more.
    assign.send_replace(naming("192.0.2.1"));
    until(|| greeting(port).is_none()).await;
    assert!(listens());
    assign.send_replace(Arc::default());
    until(|| !listens()).await;
    assign.send_replace(naming("127.0.0.1"));
    until(|| greeting(port) == Some(9)).await;
    drop(assign);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_taken_is_told_and_tried_again() {
    let taken = TcpListener::bind("[::]:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (assign, assigned) = watch::channel(naming("192.0.2.1"));
    let (tell, mut told) = tokio::sync::mpsc::channel(4);
    let running = tokio::spawn(serve_while_named(port, assigned, move |result| {
        tell.try_send(result.map_err(|error| error.to_string())).unwrap();
    }));
    let error = told.recv().await.unwrap().unwrap_err();
    assert!(error.contains(&port.to_string()), "{error}");
    drop(taken);
    assert_eq!(told.recv().await.unwrap(), Ok(()), "the port is free again");
    drop(assign);
    running.await.unwrap();
}
