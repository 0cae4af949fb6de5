//! Network namespaces for tests: real interfaces, real packets, and the machine's own network never touched.
//!
//! A [`Namespace`] is held by a file descriptor alone; when it is dropped and no program runs in it any more, the kernel takes it
//! away with every interface in it. Work is done in it on a thread of its own ([`Namespace::enter`]), so that the test's other
//! threads stay where they are.
//!
//! Limits: needs `CAP_SYS_ADMIN`. Without it [`Namespace::new_or_skip`] says loudly that the test is skipped. `/sys` and the
//! main thread's `/proc/net` still show the first namespace.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command, Output, Stdio};

mod os;

/// A network namespace with nothing but a loopback interface, which is up.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// Makes a namespace and brings its loopback interface up. IPv6 makes no packets by itself: no router solicitation, no
    /// duplicate address detection.
    ///
    /// # Errors
    /// Without the right to make one.
    pub fn new() -> io::Result<Self> {
        let file = std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                os::unshare_network()?;
                File::open("/proc/thread-self/ns/net")
            });
            made.join().unwrap_or_else(|_| Err(io::Error::other("the thread that makes the namespace panicked")))
        })?;
        let namespace = Self { file };
        namespace.enter(quiet_ipv6)?;
        namespace.ip("link set lo up");
        Ok(namespace)
    }

    /// As [`Namespace::new`]; without the right says on stderr that `test` is skipped.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    pub fn new_or_skip(test: &str) -> Option<Self> {
        match Self::new() {
            Ok(namespace) => Some(namespace),
            Err(error) => {
                eprintln!("SKIPPED: {test}: cannot make a network namespace ({error}); run the tests as root");
                None
            }
        }
    }

    /// Does `work` on a new thread in the namespace and waits for it. A panic in it goes on in the caller.
    ///
    /// # Panics
    /// When the namespace cannot be entered, which only lack of rights can cause.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        std::thread::scope(|scope| {
            let done = scope.spawn(|| {
                os::enter_network(self.file.as_fd()).expect("enter the network namespace");
                work()
            });
            done.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs `ip` in the namespace; `arguments` are split at white space.
    ///
    /// # Panics
    /// When `ip` fails, with its own words.
    pub fn ip(&self, arguments: &str) {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        self.run("ip", &words);
    }

    /// Runs a program in the namespace and waits for it.
    ///
    /// # Panics
    /// When it cannot be started or fails, with its own words.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.enter(|| Command::new(program).args(arguments).stdin(Stdio::null()).output());
        let output = output.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?} failed ({}): {words}", output.status);
        output
    }

    /// Starts a prepared program in the namespace; it is killed when the handle is dropped.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> Running {
        let name = command.get_program().to_owned();
        let child = self.enter(|| command.spawn());
        Running(child.unwrap_or_else(|error| panic!("{} does not start: {error}", name.display())))
    }

    /// A path that names the namespace for as long as this value lives: for `ip link … netns PATH`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// Joins two namespaces by a pair of Ethernet interfaces, both up.
    ///
    /// # Panics
    /// When `ip` fails.
    pub fn connect(&self, name: &str, other: &Self, other_name: &str) {
        let path = other.path();
        self.ip(&format!("link add {name} type veth peer name {other_name} netns {path}"));
        self.ip(&format!("link set {name} up"));
        other.ip(&format!("link set {other_name} up"));
    }
}

/// A program that runs in a namespace, killed when dropped.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when the program has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Interfaces made from now on send nothing by themselves.
fn quiet_ipv6() -> io::Result<()> {
    for (key, value) in [("accept_dad", "0"), ("router_solicitations", "0"), ("addr_gen_mode", "1")] {
        match std::fs::write(format!("/proc/sys/net/ipv6/conf/default/{key}"), value) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
