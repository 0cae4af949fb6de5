//! How fast one may guess, and what is half done between a password and its second factor.
//!
//! Every sign-in counts, right or wrong, for names that exist and names that do not: ten at once and one in six seconds for an address,
//! five at once and one in fifteen seconds for a name from one address, a hundred at once and one in ten seconds for a name from
//! everywhere (so that a botnet is slowed down, and a single guesser locks nobody out). A right one gives its own attempts back.
//! All of it is in memory: a restart forgets it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use netwatch_identity::secret;
use netwatch_identity::throttle::{Throttle, network};
use netwatch_model::people::{Digest, UserId};

/// So many wrong tokens are remembered: a program that goes on sending an old one guesses nothing, and locks nobody out.
const WRONG_TOKENS: usize = 16;
/// How long somebody may take from the password to the second factor.
pub(super) const TICKET_LIFE: Duration = Duration::from_secs(300);
/// Wrong second factors on one ticket.
const TICKET_ATTEMPTS: u32 = 5;
/// Tickets at once; the oldest goes.
const MAX_TICKETS: usize = 1024;

/// Buckets and tickets.
#[derive(Debug)]
pub(super) struct Guard {
    addresses: Throttle<IpAddr>,
    accounts: Throttle<(Digest, IpAddr)>,
    accounts_everywhere: Throttle<Digest>,
    second_factors: Throttle<UserId>,
    passkeys: Throttle<IpAddr>,
    registrations: Throttle<IpAddr>,
    tokens: Throttle<IpAddr>,
    refusals_recorded: Throttle<()>,
    wrong_tokens: VecDeque<Digest>,
    tickets: VecDeque<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    digest: Digest,
    user: UserId,
    ends: Duration,
    attempts: u32,
}

impl Default for Guard {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            addresses: Throttle::new(10, seconds(6), 4096),
            accounts: Throttle::new(5, seconds(15), 8192),
            accounts_everywhere: Throttle::new(100, seconds(10), 8192),
            second_factors: Throttle::new(10, seconds(60), 4096),
            passkeys: Throttle::new(30, seconds(2), 4096),
            registrations: Throttle::new(5, seconds(600), 4096),
            tokens: Throttle::new(60, seconds(1), 4096),
            refusals_recorded: Throttle::new(100, seconds(1), 1),
            wrong_tokens: VecDeque::new(),
            tickets: VecDeque::new(),
        }
    }
}

impl Guard {
    /// Counts an attempt to sign in as `account` (the hash of what was typed).
    pub(super) fn password(&mut self, peer: IpAddr, account: Digest, now: Duration) -> Result<(), Duration> {
        let peer = network(peer);
        let waits = [
            self.addresses.wait(&peer, now),
            self.accounts.wait(&(account, peer), now),
            self.accounts_everywhere.wait(&account, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        self.addresses.count(peer, now);
        self.accounts.count((account, peer), now);
        self.accounts_everywhere.count(account, now);
        Ok(())
    }

    /// Gives back what a right password cost.
    pub(super) fn right_password(&mut self, peer: IpAddr, account: Digest) {
        let peer = network(peer);
        self.addresses.forgive(&peer);
        self.accounts.forgive(&(account, peer));
    }

    /// Counts the use of a code.
    pub(super) fn code(&mut self, peer: IpAddr, now: Duration) -> Result<(), Duration> {
        self.addresses.try_count(network(peer), now)
    }

    /// Counts that a browser is asked for a passkey, which guesses nothing and costs little.
    pub(super) fn passkey(&mut self, peer: IpAddr, now: Duration) -> Result<(), Duration> {
        self.passkeys.try_count(network(peer), now)
    }

    /// Gives back what a right passkey cost.
    pub(super) fn right_passkey(&mut self, peer: IpAddr) {
        let peer = network(peer);
        self.addresses.forgive(&peer);
        self.passkeys.forgive(&peer);
    }

    /// Counts a registration.
    pub(super) fn registration(&mut self, peer: IpAddr, now: Duration) -> Result<(), Duration> {
        self.registrations.try_count(network(peer), now)
    }

    /// Whether a refused sign-in is recorded: a flood of them does not fill the disk.
    pub(super) fn records_refusal(&mut self, now: Duration) -> bool {
        self.refusals_recorded.try_count((), now).is_ok()
    }

    /// Whether a token is known to be wrong, or its sender has to wait.
    pub(super) fn token(&self, peer: IpAddr, shown: &Digest, now: Duration) -> Option<Option<Duration>> {
        if self.wrong_tokens.contains(shown) {
            return Some(None);
        }
        self.tokens.wait(&network(peer), now).map(Some)
    }

    /// Counts a wrong token.
    pub(super) fn wrong_token(&mut self, peer: IpAddr, shown: Digest, now: Duration) {
        self.tokens.count(network(peer), now);
        if self.wrong_tokens.len() >= WRONG_TOKENS {
            self.wrong_tokens.pop_front();
        }
        self.wrong_tokens.push_back(shown);
    }

    /// A token that was wrong may have become right.
    pub(super) fn forget_wrong_tokens(&mut self) {
        self.wrong_tokens.clear();
    }

    /// Keeps in mind that `user` has shown the right password.
    pub(super) fn add_ticket(&mut self, digest: Digest, user: UserId, now: Duration) {
        self.tickets.retain(|t| t.ends > now);
        if self.tickets.len() >= MAX_TICKETS {
            self.tickets.pop_front();
        }
        self.tickets.push_back(Ticket { digest, user, ends: now + TICKET_LIFE, attempts: 0 });
    }

    /// Whose a ticket is; none when it ended. Not an attempt.
    pub(super) fn ticket(&self, shown: &Digest, now: Duration) -> Option<UserId> {
        let holds = |t: &&Ticket| t.ends > now && t.attempts < TICKET_ATTEMPTS && secret::same(&t.digest, shown);
        self.tickets.iter().find(holds).map(|t| t.user)
    }

    /// Counts an attempt with a ticket: whose it is; none when it ended. A user's attempts count over all tickets.
    pub(super) fn try_ticket(&mut self, shown: &Digest, now: Duration) -> Result<Option<UserId>, Duration> {
        self.tickets.retain(|t| t.ends > now && t.attempts < TICKET_ATTEMPTS);
        let Some(ticket) = self.tickets.iter_mut().find(|t| secret::same(&t.digest, shown)) else { return Ok(None) };
        self.second_factors.try_count(ticket.user, now)?;
        ticket.attempts += 1;
        Ok(Some(ticket.user))
    }

    /// Uses a ticket up.
    pub(super) fn end_ticket(&mut self, shown: &Digest, user: UserId) {
        self.tickets.retain(|t| t.digest != *shown);
        self.second_factors.forgive(&user);
    }
}
