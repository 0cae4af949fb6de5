//! `netwatch user` as it is written.

use clap::{Args, Subcommand};

use super::{Format, ServerArgs};

/// `netwatch user`
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// List everybody
    List(UserListArgs),
    /// Make a user, and print a link with which they choose their password
    Add(UserAddArgs),
    /// Print a link with which a user chooses a new password
    Reset(UserNameArgs),
    /// Print a link that shows that the address of a user is theirs
    Verify(UserNameArgs),
    /// Let a user sign in no more, and end their sessions
    Disable(UserNameArgs),
    /// Let a user sign in again
    Enable(UserNameArgs),
}

/// Which server is asked, and how the answer is printed.
#[derive(Args, Debug)]
pub struct UserAsk {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `netwatch user list`
#[derive(Args, Debug)]
pub struct UserListArgs {
    /// Only those with this text in their names
    pub search: Option<String>,
    #[command(flatten)]
    pub ask: UserAsk,
}

/// `netwatch user add`
#[derive(Args, Debug)]
pub struct UserAddArgs {
    /// What they sign in with
    pub name: String,
    /// How they are shown [default: the name]
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// Where they can be reached
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// They administer the whole installation
    #[arg(long)]
    pub administrator: bool,
    /// Their role in the workspace of this machine: viewer, operator, admin, owner, or the id of a custom one
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    #[command(flatten)]
    pub ask: UserAsk,
}

/// `netwatch user reset`, and the others that take a name.
#[derive(Args, Debug)]
pub struct UserNameArgs {
    /// What they sign in with
    pub name: String,
    #[command(flatten)]
    pub ask: UserAsk,
}
