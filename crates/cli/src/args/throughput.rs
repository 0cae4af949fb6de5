//! What `netwatch throughput` can be told: what to measure, or to be the other end.

use std::net::SocketAddr;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use netwatch_egress::Network;
use netwatch_model::probe::ProbeKind;

use super::probe::{OneShot, ProbeArgs, place};

/// Where clients of iperf3 look for a server.
const EVERYWHERE: &str = "[::]:5201";

type Probe = ProbeArgs<{ place(ProbeKind::Throughput) }>;

/// `netwatch throughput`
#[derive(Debug)]
pub enum ThroughputArgs {
    /// Measures.
    Measure(OneShot),
    /// Is measured.
    Serve(ServeArgs),
}

/// `netwatch throughput --serve`
#[derive(Debug)]
pub struct ServeArgs {
    /// Where.
    pub listen: SocketAddr,
    /// For whom; this host alone when it is empty.
    pub allow: Vec<Network>,
}

impl Args for ThroughputArgs {
    fn augment_args(command: Command) -> Command {
        const SERVER: &str = "Server";
        let serve = Arg::new("serve")
            .long("serve")
            .value_name("ADDR:PORT")
            .num_args(0..=1)
            .default_missing_value(EVERYWHERE)
            .value_parser(clap::value_parser!(SocketAddr))
            .conflicts_with("target")
            .help_heading(SERVER)
            .help(format!("Be the server of tests by iperf3 or netwatch, TCP and UDP [default: {EVERYWHERE}]"));
        let allow = Arg::new("allow")
            .long("allow")
            .value_name("NET")
            .value_delimiter(',')
            .value_parser(clap::value_parser!(Network))
            .requires("serve")
            // A requirement that contradicts what was said is none to clap.
            .conflicts_with("target")
            .help_heading(SERVER)
            .help("Networks whose tests are made, separated by commas [default: this host alone]");
        let command = Probe::augment_args(command).args([serve, allow]);
        command.mut_arg("target", |target| target.required(false).required_unless_present("serve"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ThroughputArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.get_one::<SocketAddr>("serve") {
            Some(listen) => {
                let allow = matches.get_many("allow").into_iter().flatten().cloned().collect();
                Ok(Self::Serve(ServeArgs { listen: *listen, allow }))
            }
            None => Probe::from_arg_matches(matches).map(|args| Self::Measure(args.0)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<ThroughputArgs, String> {
        let matches = ThroughputArgs::augment_args(Command::new("x"))
            .try_get_matches_from(std::iter::once("x").chain(words.iter().copied()));
        matches.and_then(|matches| ThroughputArgs::from_arg_matches(&matches)).map_err(|error| error.to_string())
    }

    #[test]
    fn it_measures_or_is_measured() {
        let Ok(ThroughputArgs::Measure(what)) = read(&["192.0.2.1", "--seconds", "2"]) else { panic!("it measures") };
        assert_eq!(what.probes.len(), 1);
        let Ok(ThroughputArgs::Serve(args)) = read(&["--serve"]) else { panic!("it serves") };
        assert_eq!((args.listen.to_string(), args.allow.len()), (EVERYWHERE.to_owned(), 0));
        let Ok(ThroughputArgs::Serve(args)) = read(&["--serve", "127.0.0.1:99", "--allow", "10.0.0.0/8,fd00::/8"])
        else {
            panic!("it serves")
        };
        assert_eq!((args.listen.port(), args.allow.len()), (99, 2));
        assert!(read(&[]).expect_err("nothing to do").contains("TARGET"));
        assert!(read(&["192.0.2.1", "--allow", "10.0.0.0/8"]).expect_err("for whom?").contains("--allow"));
    }
}
