//! HTTP: a request, its redirects, and where its time went (RFC 9110).
//!
//! [`plan`] reads the options once; each request is a [`step`](step::Step): it is resolved and judged by the policy anew, connected,
//! secured, asked ([`exchange`], [`quic`]) and read, and each of these is a phase with its own time. The phases of all steps sum to the
//! duration of the run. What came is judged by [`check`] when the clock stands still.
//!
//! A redirect to another origin takes neither credentials nor the probe's own header fields with it, and no body.
//!
//! Limits: [`MAX_REDIRECTS`] redirects, 64 KiB of header, `max_body` octets of body. Nothing is decoded unless the probe asks for gzip.

use netwatch_model::Untrusted;
use netwatch_model::probe::kind::http::{Http, HttpHop, HttpPhases, MAX_REDIRECTS};
use netwatch_model::probe::kind::tls::TlsSession;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec};
use netwatch_telemetry::clock;

use crate::connect::{self, Deadline, Laps};
use crate::resolve::resolve;
use crate::run::Ran;
use crate::tls::session::{Asked, handshake};
use crate::tls::{judge, name_of, trust};
use crate::tools::Tools;

mod check;
pub(crate) mod exchange;
mod plan;
mod quic;
mod step;

#[cfg(test)]
mod tests;

use check::Came;
use exchange::{Answer, Read};
use plan::{Plan, Version};
use step::Step;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let plan = match Plan::new(spec) {
        Ok(plan) => plan,
        Err(failure) => return failure.into(),
    };
    let roots = match trust::roots(&plan.authority).await {
        Ok(roots) => roots,
        Err(failure) => return failure.into(),
    };
    let asked = |name| Asked { name, alpn: plan.version.alpn(), roots: roots.clone() };
    let mut journey = Journey {
        spec,
        plan: &plan,
        tools,
        deadline: Deadline::of(spec),
        laps: Laps::start(),
        ran: Ran::default(),
        tls: None,
    };
    let began = clock::monotonic();
    let mut hops = Vec::new();
    let came = journey.go(&asked, &mut hops).await;
    // What is thought of the answer afterwards does not count.
    let took = clock::monotonic().saturating_sub(began);
    let Journey { ran, tls, .. } = journey;
    let read = came.as_ref().ok().map(|came| &came.body);
    let detail = Http {
        body_octets: read.map_or(0, |read| read.count),
        body_cut: read.is_some_and(|read| read.is_cut),
        body_hash: read.and_then(Read::hash),
        hops,
        tls,
    };
    let failure = match came {
        Ok(came) => check::judge(plan, came).await.err(),
        Err(failure) => Some(failure),
    };
    Ran { detail: Some(Detail::Http(Box::new(detail))), failure, duration: Some(took), ..ran }
}

/// A request on its way through redirects.
struct Journey<'a> {
    spec: &'a ProbeSpec,
    plan: &'a Plan,
    tools: &'a Tools,
    deadline: Deadline,
    laps: Laps,
    /// Addresses of the last step.
    ran: Ran,
    /// The session of the last step.
    tls: Option<TlsSession>,
}

impl Journey<'_> {
    /// Goes from redirect to redirect; `hops` holds every step, also the one that failed.
    async fn go(
        &mut self,
        asked: &impl Fn(rustls::pki_types::ServerName<'static>) -> Asked,
        hops: &mut Vec<HttpHop>,
    ) -> Result<Came, Failure> {
        let mut step = Step::first(&self.spec.target, self.plan)?;
        loop {
            let mut hop = new_hop(&step);
            let answer = self.ask(&step, &mut hop, asked).await;
            hops.push(hop);
            let answer = answer?;
            let next = if self.plan.follow { step.next(answer.status, &answer.headers)? } else { None };
            match next {
                None => {
                    return Ok(Came {
                        status: answer.status,
                        encoding: answer.encoding(),
                        body: answer.body,
                        url: step.url(),
                    });
                }
                Some(_) if hops.len() > MAX_REDIRECTS => {
                    let message = format!("{} leads to more than {MAX_REDIRECTS} redirects", self.spec.target);
                    return Err(Failure::new(FailureReason::Unexpected, &message));
                }
                Some(next) => step = next,
            }
        }
    }

    /// One request and its answer. The phases in `hop` are those up to the end, whatever it is.
    async fn ask(
        &mut self,
        step: &Step,
        hop: &mut HttpHop,
        asked: &impl Fn(rustls::pki_types::ServerName<'static>) -> Asked,
    ) -> Result<Answer, Failure> {
        self.tls = None;
        let (host, port, name) = (step.host(), step.target.port, step.server_name(self.plan));
        let resolved = resolve(&host, port, self.spec.family, self.deadline.left(), self.tools).await;
        // An address needs no resolver: what passed belongs to the connection.
        if !matches!(&resolved, Ok(resolved) if resolved.lookup.is_none()) {
            hop.phases.resolve = self.laps.lap();
        }
        let address = resolved?.address;
        hop.address = Some(address.ip());
        (self.ran.address, self.ran.source) = (Some(address.ip()), None);
        if self.plan.version == Version::Three {
            return quic::ask(self, step, hop, address, &asked(name_of(&name)?)).await;
        }
        let connected = connect::tcp(address, self.spec, self.deadline).await;
        hop.phases.connect = self.laps.lap();
        let connected = connected?;
        self.ran.source = connected.source;
        if !step.is_secure() {
            return self.exchange(connected.stream, self.plan.version == Version::Two, step, hop).await;
        }
        let shaken = handshake(connected.stream, &asked(name_of(&name)?), self.deadline, &host).await;
        hop.phases.tls = self.laps.lap();
        let (stream, session) = shaken?;
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        self.accept(session, &host)?;
        let is_h2 = self.plan.version.of_alpn(agreed.as_deref(), &host)?;
        self.exchange(stream, is_h2, step, hop).await
    }

    /// Keeps a session, and goes on only when it is trusted or need not be: nothing is told to a server that is not who it should be.
    fn accept(&mut self, session: TlsSession, host: &str) -> Result<(), Failure> {
        let verdict = judge(&session, self.plan.verify, 0, host);
        self.tls = Some(session);
        verdict
    }

    async fn exchange<S>(&mut self, stream: S, is_h2: bool, step: &Step, hop: &mut HttpHop) -> Result<Answer, Failure>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let host = step.host();
        let sent = exchange::send(stream, is_h2, step.message(self.plan), self.deadline, &host).await;
        hop.phases.first_byte = self.laps.lap();
        let (answer, _connection) = sent?;
        let (head, body) = answer.into_parts();
        self.describe(hop, &head, if is_h2 { "HTTP/2" } else { "HTTP/1.1" });
        // The body of a redirect is for people.
        let most =
            if self.plan.follow && step::is_redirect(head.status, &head.headers) { 0 } else { self.plan.max_body };
        let read = exchange::read(body, most, self.plan.keeps_body(), self.deadline, &host).await;
        hop.phases.transfer = self.laps.lap();
        Ok(Answer { status: head.status, headers: head.headers, body: read? })
    }

    fn describe(&self, hop: &mut HttpHop, head: &http::response::Parts, version: &str) {
        hop.status = Some(head.status.as_u16());
        let is_old = version == "HTTP/1.1" && head.version == http::Version::HTTP_10;
        hop.version = Some(if is_old { "HTTP/1.0".to_owned() } else { version.to_owned() });
        hop.content_type =
            head.headers.get(http::header::CONTENT_TYPE).map(|value| Untrusted::from_bytes(value.as_bytes()));
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        hop.content_length = text(http::header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        hop.last_modified = text(http::header::LAST_MODIFIED).and_then(check::date);
    }
}

fn new_hop(step: &Step) -> HttpHop {
    HttpHop {
        url: step.url(),
        address: None,
        status: None,
        version: None,
        content_type: None,
        content_length: None,
        last_modified: None,
        phases: HttpPhases::default(),
    }
}
