//! `netwatch user`: accounts from the machine itself, for whoever is locked out or has no browser.
//!
//! Everything goes through the API of the running server with the token of its directory, so that the same rules hold and the same
//! records are written as in the web app. A link that is printed is good once.

use std::io::Write as _;

use netwatch_api::page::Page;
use netwatch_api::session::Session;
use netwatch_api::sign_in::{UserLink, UserLinkPurpose, UserLinkRequest};
use netwatch_api::user::{User, UserCreate, UserMembership, UserPatch, UserWorkspace};
use netwatch_model::people::UserName;
use netwatch_model::{Timestamp, Untrusted};
use serde::Serialize;

use super::steer::endpoint;
use crate::args::{Cli, Format, UserAddArgs, UserAsk, UserCommand, UserListArgs, UserNameArgs};
use crate::client::Endpoint;
use crate::failure::{Failure, Outcome, usage, visible};
use crate::output::Printer;
use crate::output::table::{Align, Table};

/// Rows of a page.
const PAGE: &str = "500";
/// Columns of the list as CSV.
const COLUMNS: [&str; 9] = [
    "id",
    "name",
    "display_name",
    "email",
    "site_administrator",
    "disabled",
    "credentials",
    "workspaces",
    "last_sign_in",
];

/// A link, as it is printed.
#[derive(Serialize, Debug)]
struct Link {
    user: String,
    /// With the address at which the server was asked.
    link: String,
    /// Without it, for servers that people reach by another one.
    path: String,
    expires: Timestamp,
}

/// `netwatch user …`
pub fn run(cli: &Cli, command: &UserCommand) -> Outcome {
    match command {
        UserCommand::List(args) => list(cli, args),
        UserCommand::Add(args) => add(cli, args),
        UserCommand::Reset(args) => link(cli, args, UserLinkPurpose::ResetPassword),
        UserCommand::Verify(args) => link(cli, args, UserLinkPurpose::VerifyEmail),
        UserCommand::Disable(args) => set_disabled(cli, args, true),
        UserCommand::Enable(args) => set_disabled(cli, args, false),
    }
}

fn list(cli: &Cli, args: &UserListArgs) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.ask.format, &COLUMNS)?;
    each_page(&server, args.search.as_deref(), |page| printer.rows(page).map(|()| false))?;
    printer.finish(table)
}

fn add(cli: &Cli, args: &UserAddArgs) -> Outcome {
    let name = user_name(&args.name)?;
    let server = reach(cli, &args.ask)?;
    let new = UserCreate {
        name: name.to_string(),
        display_name: args.display_name.clone(),
        email: args.email.clone(),
        password: None,
        site_administrator: args.administrator,
    };
    let user: User = server.send("POST", "/api/v1/users", &new)?;
    if let Some(role) = &args.role {
        join(&server, &user, role)?;
    }
    let link = make_link(&server, &user, UserLinkPurpose::ResetPassword)?;
    let note = if args.administrator || args.role.is_some() { "" } else { "; they are in no workspace yet" };
    tell(&link, args.ask.format, &format!("opens the account and asks for a password{note}"))
}

fn link(cli: &Cli, args: &UserNameArgs, purpose: UserLinkPurpose) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let user = find(&server, &args.name)?;
    let what = match purpose {
        UserLinkPurpose::ResetPassword => "asks for a new password and ends all sessions",
        UserLinkPurpose::VerifyEmail => "shows that the address is theirs",
    };
    tell(&make_link(&server, &user, purpose)?, args.ask.format, what)
}

fn set_disabled(cli: &Cli, args: &UserNameArgs, disabled: bool) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let user = find(&server, &args.name)?;
    let patch = UserPatch { disabled: Some(disabled), ..UserPatch::default() };
    let changed: User = server.overwrite("PATCH", &format!("/api/v1/users/{}", user.id), &patch)?;
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.ask.format, &COLUMNS)?;
    printer.rows(vec![changed])?;
    printer.finish(table)
}

fn reach(cli: &Cli, ask: &UserAsk) -> Result<Endpoint, Failure> {
    endpoint(cli, &ask.server, ask.data_dir.as_deref())
}

/// Hands over the users page by page, by name, until `enough` says so.
fn each_page(
    server: &Endpoint,
    search: Option<&str>,
    mut enough: impl FnMut(Vec<User>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE)];
        query.extend(search.map(|text| ("search", text)));
        query.extend(cursor.as_deref().map(|text| ("cursor", text)));
        let page: Page<User> = server.get("/api/v1/users", &query)?;
        let is_enough = enough(page.items)?;
        cursor = page.next_cursor.filter(|_| !is_enough);
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// The user of that name.
fn find(server: &Endpoint, name: &str) -> Result<User, Failure> {
    let name = user_name(name)?;
    let mut found = None;
    each_page(server, Some(name.as_str()), |page| {
        found = page.into_iter().find(|user| user.name == name.as_str());
        Ok(found.is_some())
    })?;
    found.ok_or_else(|| usage(format!("there is no user {name}: `netwatch user list` shows all")))
}

/// Names have one form: what can be none is refused before anybody is asked.
fn user_name(text: &str) -> Result<UserName, Failure> {
    text.parse().map_err(usage)
}

/// Makes a new user a member of the workspace of this machine.
fn join(server: &Endpoint, user: &User, role: &str) -> Result<(), Failure> {
    let session: Session = server.get("/api/v1/session", &[])?;
    let Some(workspace) = session.workspace else {
        return Err(usage(format!("{} was made, but there is no workspace to join: leave --role out", user.name)));
    };
    let path = format!("/api/v1/users/{}/memberships/{}", user.id, workspace.id);
    let _joined: UserWorkspace = server.send("PUT", &path, &UserMembership { role: role.to_owned() })?;
    Ok(())
}

fn make_link(server: &Endpoint, user: &User, purpose: UserLinkPurpose) -> Result<Link, Failure> {
    let path = format!("/api/v1/users/{}/link", user.id);
    let made: UserLink = server.send("POST", &path, &UserLinkRequest { purpose })?;
    let link = format!("http://{}{}", server.authority, made.path);
    Ok(Link { user: user.name.clone(), link, path: made.path, expires: made.expires })
}

fn tell(link: &Link, format: Format, what: &str) -> Outcome {
    let mut out = super::stdout();
    match format {
        Format::Table => {
            writeln!(out, "{}", visible(&link.link))?;
            writeln!(out, "For {}, once, until {}: it {what}.", visible(&link.user), link.expires)?;
            out.flush()?;
            Ok(())
        }
        Format::Json | Format::Yaml | Format::Csv => {
            let mut printer = Printer::new(&mut out, format, &["user", "link", "path", "expires"])?;
            printer.rows(vec![link])?;
            printer.finish(|_| Table::new(&[]))
        }
    }
}

fn table(users: &[User]) -> Table {
    let head = ["NAME", "SHOWN AS", "E-MAIL", "STATE", "SIGNS IN WITH", "WORKSPACES", "LAST SIGN-IN"];
    let align = |name| (name, if name == "WORKSPACES" { Align::Right } else { Align::Left });
    let mut table = Table::new(&head.map(align));
    for user in users {
        let state = match (user.disabled, user.site_administrator) {
            (true, _) => "disabled",
            (false, true) => "administrator",
            (false, false) => "user",
        };
        table.row([
            user.name.clone(),
            Untrusted::new(&user.display_name).to_string(),
            user.email.clone().unwrap_or_default(),
            state.to_owned(),
            user.credentials.join(" "),
            user.workspaces.to_string(),
            user.last_sign_in.map_or_else(|| "never".to_owned(), |time| time.to_string()),
        ]);
    }
    table
}
