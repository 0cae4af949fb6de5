//! `netwatch interfaces`, and choosing the ones to capture.

pub mod choice;

use netwatch_capture::interface::link::Link;
use netwatch_capture::interface::monitor;
use netwatch_model::filter::nearest;
use serde::Serialize;

use crate::args::InterfacesArgs;
use crate::failure::{Failure, Outcome, usage};
use crate::output::Printer;
use crate::output::table::{Align, Table};

/// One interface, as it is printed.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
struct Row {
    name: String,
    index: u32,
    /// `up`, `no_carrier` or `down`.
    state: &'static str,
    mtu: u32,
    address: Option<String>,
    loopback: bool,
    /// Whether Netwatch can read its frames.
    capturable: bool,
    /// Whether `netwatch up` captures it without being told.
    default: bool,
    /// Why it does not.
    reason: Option<String>,
}

pub fn run(args: &InterfacesArgs) -> Outcome {
    let links = list()?;
    let rows: Vec<Row> = links.iter().zip(choice::by_default(&links)).map(|(link, reason)| row(link, reason)).collect();
    let columns = ["name", "index", "state", "mtu", "address", "loopback", "capturable", "default", "reason"];
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.format, &columns)?;
    printer.rows(rows)?;
    printer.finish(table)
}

/// The interfaces of this machine, by index.
pub fn list() -> Result<Vec<Link>, Failure> {
    let mut links = monitor::list().map_err(anyhow::Error::new)?;
    links.sort_by_key(|l| l.index);
    Ok(links)
}

/// The names to capture: those wanted, or those of [`choice`].
///
/// # Errors
/// A wanted name that does not exist, with the names that do and the nearest.
pub fn choose(wanted: &[String], links: &[Link]) -> Result<Vec<String>, Failure> {
    if wanted.is_empty() {
        let chosen = links.iter().zip(choice::by_default(links)).filter(|(_, reason)| reason.is_none());
        return Ok(chosen.map(|(link, _)| link.name.raw().to_owned()).collect());
    }
    for name in wanted {
        let Some(link) = links.iter().find(|l| l.name.raw() == name) else {
            return Err(usage(unknown(name, links)));
        };
        if link.link.is_none() {
            let message =
                format!("netwatch cannot read the frames of interface {} (hardware type {})", link.name, link.hardware);
            return Err(usage(message));
        }
    }
    let mut names: Vec<String> = Vec::new();
    for name in wanted {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

fn unknown(name: &str, links: &[Link]) -> String {
    let shown = netwatch_model::Untrusted::new(name);
    let hint = nearest(name, links.iter().map(|l| l.name.raw())).map(netwatch_model::Untrusted::new);
    let hint = hint.map(|h| format!(" (did you mean {h}?)")).unwrap_or_default();
    let known: Vec<String> = links.iter().map(|l| l.name.to_string()).collect();
    format!("there is no interface {shown}{hint}: this machine has {}", known.join(", "))
}

fn row(link: &Link, reason: Option<choice::Reason>) -> Row {
    let address = link.station.filter(|_| !link.loopback);
    Row {
        name: link.name.to_string(),
        index: link.index,
        state: match (link.up, link.running) {
            (true, true) => "up",
            (true, false) => "no_carrier",
            (false, _) => "down",
        },
        mtu: link.mtu,
        address: address.map(|a| a.map(|b| format!("{b:02x}")).join(":")),
        loopback: link.loopback,
        capturable: link.link.is_some(),
        default: reason.is_none(),
        reason: reason.map(|r| r.to_string()),
    }
}

fn table(rows: &[Row]) -> Table {
    let heading = [
        ("NAME", Align::Left),
        ("STATE", Align::Left),
        ("MTU", Align::Right),
        ("ADDRESS", Align::Left),
        ("CAPTURED BY DEFAULT", Align::Left),
    ];
    let mut table = Table::new(&heading);
    for r in rows {
        let by_default = r.reason.as_ref().map_or_else(|| "yes".to_owned(), |reason| format!("no: {reason}"));
        let address = r.address.clone().unwrap_or_default();
        table.row([r.name.clone(), r.state.to_owned(), r.mtu.to_string(), address, by_default]);
    }
    table
}

#[cfg(test)]
mod tests {
    use netwatch_capture::frame::LinkType;
    use netwatch_capture::interface::link::MadeOf;

    use super::*;

    fn link(name: &str, up: bool, loopback: bool) -> Link {
        let (name, link) = (name.into(), Some(LinkType::Ethernet));
        Link {
            index: 1,
            name,
            up,
            running: up,
            loopback,
            mtu: 1500,
            station: None,
            link,
            hardware: 1,
            made_of: MadeOf::default(),
        }
    }

    #[test]
    fn a_wish_wins_over_the_choice() {
        let lo = link("lo", true, true);
        assert_eq!(choose(&[], &[lo.clone(), link("a", true, false), link("b", false, false)]).unwrap(), ["a"]);
        assert_eq!(choose(&[], &[lo.clone(), link("b", false, false)]).unwrap(), ["lo"]);
        assert_eq!(
            choose(&["lo".into(), "b".into(), "lo".into()], &[lo, link("b", false, false)]).unwrap(),
            ["lo", "b"]
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let links = [link("lo", true, true), link("eth0", true, false), link("$(reboot)\u{202e}", true, false)];
        let Err(Failure::Usage(error)) = choose(&["ehto".into()], &links) else { panic!("not refused") };
        assert_eq!(
            error.to_string(),
            "there is no interface ehto (did you mean eth0?): this machine has lo, eth0, $(reboot)\\u{202e}"
        );
    }
}
