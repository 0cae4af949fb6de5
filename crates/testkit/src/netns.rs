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
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Child, Command, Output, Stdio};

mod os;

/// A network namespace with nothing but a loopback interface, which is up.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// Makes a namespace and brings its loopback interface up. Interfaces that are added have no IPv6 until
    /// [`Namespace::enable_ipv6`], because it makes packets by itself that no test has sent.
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
        namespace.enter(no_ipv6)?;
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

    /// Gives an interface IPv6, without duplicate address detection.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn enable_ipv6(&self, interface: &str) {
        let written = self.enter(|| {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/accept_dad"), "0")?;
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"), "0")
        });
        written.unwrap_or_else(|error| panic!("cannot give {interface} IPv6: {error}"));
    }

    /// A socket that sends raw frames from an interface of the namespace.
    ///
    /// # Panics
    /// When there is no such interface.
    #[must_use]
    pub fn sender(&self, interface: &str) -> Sender {
        let socket = self.enter(|| os::frame_socket(interface));
        Sender(socket.unwrap_or_else(|error| panic!("cannot send frames from {interface}: {error}")))
    }

    /// A new TUN device, up: each read of the file gives an IP packet that was routed into it, each write puts one into the namespace.
    /// It goes with the file.
    ///
    /// # Panics
    /// When the kernel makes none.
    #[must_use]
    pub fn tun(&self, name: &str) -> File {
        let file =
            self.enter(|| os::tun(name)).unwrap_or_else(|error| panic!("cannot make the TUN device {name}: {error}"));
        self.ip(&format!("link set {name} up"));
        file
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

/// Sends raw frames from one interface.
#[derive(Debug)]
pub struct Sender(OwnedFd);

impl Sender {
    /// Sends a frame that begins with its Ethernet header.
    ///
    /// # Panics
    /// When the kernel does not take it.
    pub fn send(&self, frame: &[u8]) {
        rustix::net::send(&self.0, frame, rustix::net::SendFlags::empty()).expect("send a frame");
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

fn no_ipv6() -> io::Result<()> {
    match std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") {
        // This kernel has no IPv6 at all.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        written => written,
    }
}
