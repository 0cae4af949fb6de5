//! The command that grants what is missing.
//!
//! Why: "permission denied" is no help; the exact command is. What: [`Grant`] knows the path of the running program and writes
//! the line to type. Limits: it runs nothing, and the text is for people.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the program needs: packets, and the processes of other users.
pub const WANTED: &str = "cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep";

/// How to grant the right to capture to this very program.
///
/// Its [`Display`](fmt::Display) is a clause that follows a colon: what to type, and the alternative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    program: PathBuf,
}

impl Grant {
    /// For the program that runs, by `/proc/self/exe`.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn for_this_program() -> io::Result<Self> {
        Ok(Self::for_program(&fs::read_link("/proc/self/exe")?))
    }

    /// For the program at `path`.
    #[must_use]
    pub fn for_program(path: &Path) -> Self {
        Self { program: path.to_owned() }
    }

    /// The program that the command names.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// One line for a shell.
    #[must_use]
    pub fn command(&self) -> String {
        format!("sudo setcap {WANTED} {}", quoted(&self.program.to_string_lossy()))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "run `{}` and start netwatch again, or start the packaged service with `sudo systemctl start netwatch`",
            self.command()
        )
    }
}

/// As one word of a POSIX shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_program_and_quotes_what_a_shell_would_split() {
        let grant = |path: &str| Grant::for_program(Path::new(path)).command();
        assert_eq!(
            grant("/usr/bin/netwatch"),
            "sudo setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep /usr/bin/netwatch"
        );
        assert!(grant("/tmp/my tools/net'watch").ends_with(r"'/tmp/my tools/net'\''watch'"));
        assert!(grant("/tmp/$(reboot)").ends_with("'/tmp/$(reboot)'"));
    }

    #[test]
    fn finds_the_program_that_runs() {
        let grant = Grant::for_this_program().unwrap();
        assert_eq!(grant.program(), std::env::current_exe().unwrap());
        assert!(grant.to_string().contains("sudo systemctl start netwatch"), "{grant}");
    }
}
