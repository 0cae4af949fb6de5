//! `netwatch top` in a terminal: it shows what the server tells, and gives the terminal back whatever ends it.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use sandbox::{Sandbox, text};
use server::{PATIENCE, Up, up};

/// `netwatch top` in a terminal of 80x24.
struct Terminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// Reads until nobody wants the output any more.
    reader: JoinHandle<()>,
    seen: String,
    /// The program's side, and how it was before.
    side: File,
    modes: LocalModes,
}

impl Terminal {
    fn start(sandbox: &Sandbox, server: &Up<'_>) -> Self {
        let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&own).expect("a terminal");
        unlockpt(&own).expect("a terminal");
        tcsetwinsize(&own, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
        let name = ptsname(&own, Vec::new()).expect("a name");
        let theirs =
            File::options().read(true).write(true).open(name.to_str().expect("UTF-8")).expect("its other side");
        let data = sandbox.path("data");
        let mut command = sandbox.command(&["top", "--server", &server.url, "--data-dir", text(&data)]);
        command.env("TERM", "xterm-256color");
        let modes = tcgetattr(&theirs).expect("a terminal").local_modes;
        let side = || Stdio::from(theirs.try_clone().expect("its other side"));
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("netwatch starts");
        let keyboard = File::from(own);
        let mut screen = keyboard.try_clone().expect("a descriptor");
        let (sender, output) = sync_channel(1024);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, output, reader, seen: String::new(), side: theirs, modes }
    }

    /// Closes the window, as a terminal emulator does: no end of it is open, and the program is told.
    fn close(self) -> Child {
        let Self { child, keyboard, output, reader, .. } = self;
        drop(output);
        // It draws once a second, and the reader ends with what it cannot hand over.
        reader.join().expect("a reader");
        drop(keyboard);
        kill_process(Pid::from_child(&child), Signal::HUP).expect("it runs");
        child
    }

    /// Reads on until `wanted` was drawn.
    #[track_caller]
    fn wait_for(&mut self, wanted: &str) {
        while !self.seen.contains(wanted) {
            let Ok(more) = self.output.recv_timeout(PATIENCE) else { panic!("no {wanted:?} in {:?}", self.seen) };
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    fn press(&mut self, keys: &str) {
        self.seen.clear();
        self.keyboard.write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// It has ended well, and it has left the alternate screen and shown the cursor.
    #[track_caller]
    fn gave_back(mut self) {
        self.wait_for("\x1b[?1049l");
        self.wait_for("\x1b[?25h");
        assert_eq!(self.child.wait().expect("a child").code(), Some(0), "{:?}", self.seen);
        assert!(!self.seen.contains("panicked"), "{:?}", self.seen);
        assert_eq!(tcgetattr(&self.side).expect("a terminal").local_modes, self.modes, "lines and echo as before");
    }
}

#[test]
fn it_shows_the_flows_of_the_server_and_gives_the_terminal_back() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let server = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    server.wait_for("flows", &[], |flows| flows.len() > 3);
    let mut terminal = Terminal::start(&sandbox, &server);
    terminal.wait_for("\x1b[?1049h");
    terminal.wait_for("live");
    terminal.press("3t");
    terminal.wait_for("DESTINATION");
    terminal.press("q");
    terminal.wait_for("Quit?");
    terminal.press("q");
    terminal.gave_back();

    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut terminal = Terminal::start(&sandbox, &server);
        terminal.wait_for("live");
        terminal.seen.clear();
        kill_process(Pid::from_child(&terminal.child), signal).expect("it runs");
        terminal.gave_back();
    }

    server.send(Signal::TERM);
    server.end().exits(0);
}

#[test]
fn a_server_that_goes_away_is_told_and_nothing_breaks() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let server = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    let mut terminal = Terminal::start(&sandbox, &server);
    terminal.wait_for("live");
    terminal.seen.clear();
    server.send(Signal::TERM);
    server.end().exits(0);
    terminal.wait_for("connection");
    terminal.press("\x03");
    terminal.gave_back();
}

#[test]
fn a_window_that_is_closed_ends_it() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let server = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    let mut terminal = Terminal::start(&sandbox, &server);
    terminal.wait_for("live");
    // It reads a closed terminal for ever unless something ends it: this waits for that.
    terminal.close().wait().expect("a child");
    server.send(Signal::TERM);
    server.end().exits(0);
}
